# with: sqlite
# Queries, transactions, a file, and its integrity.
set -e
sqlite3 /tmp/db <<'END'
create table numbers(n integer primary key, square integer, name text);
with recursive count(n) as (select 1 union all select n + 1 from count where n < 10000)
insert into numbers select n, n * n, printf('number %05d', n) from count;
create index by_name on numbers(name);
begin; delete from numbers; rollback;
END
[ "$(sqlite3 /tmp/db 'select count(*), sum(square) from numbers')" = "10000|333383335000" ]
[ "$(sqlite3 /tmp/db "select square from numbers where name = 'number 00099'")" = 9801 ]
[ "$(sqlite3 /tmp/db 'pragma integrity_check')" = ok ]
[ "$(sqlite3 :memory: "select json_extract('{\"a\":[1,2,3]}', '$.a[1]'), round(sqrt(2.0), 6)")" = "2|1.414214" ]
