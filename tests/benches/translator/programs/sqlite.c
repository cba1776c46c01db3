// SPDX-License-Identifier: MIT OR Apache-2.0
// SQLite: rows inserted one by one, and queries of several kinds, in memory.
#include "../program.h"
#include "sqlite3.h"

static uint32_t state;

static int row(void *data, int count, char **values, char **names)
{
	(void)data;
	(void)names;
	for (int i = 0; i < count; i++)
		if (values[i])
			state = sum(state, values[i], strlen(values[i]));
	return 0;
}

static void execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, row, NULL, NULL) != SQLITE_OK) {
		puts(sqlite3_errmsg(db));
		abort();
	}
}

uint32_t run(void)
{
	static const char *const queries[] = {
	    "commit",
	    "select count(*), sum(b), avg(length(c)) from t where b between 100 and 9000",
	    "select a, b, c from t where c like '%text%ab%' order by b desc limit 50",
	    "select b % 17, count(*), max(c) from t group by 1 order by 2",
	    "update t set b = b + 1 where a % 3 = 0",
	    "delete from t where b % 5 = 0",
	    "select count(*), total(b) from t",
	    "select x.a, y.b from t x join t y on x.b = y.a where x.a < 400 order by 1, 2 limit 200",
	};
	sqlite3 *db;
	state = 0;
	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		abort();
	execute(db, "create table t(a integer primary key, b int, c text);"
		    "create index ib on t(b); begin");
	for (unsigned i = 0; i < 5000; i++) {
		char sql[120];
		sqlite3_snprintf(sizeof sql, sql, "insert into t values(%d, %d, 'row %d text %x')",
				 i, i * 7919 % 10007, i, i * 2654435761u);
		execute(db, sql);
	}
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
		execute(db, queries[i]);
	sqlite3_close(db);
	return state;
}
