//! Programs of users, compiled outside of the tree with the compilers for the guest.

use std::fs;

use linnet_build::{Error, Result};

use crate::build::{Place, expect};
use crate::{Test, builder};

pub(crate) fn tests() -> Vec<Test> {
    let test = |name: &str, run: fn(&Place) -> Result<()>| -> Test {
        let place = format!("sdk-{name}");
        let run = move || Ok(Place::new(&place).and_then(|place| run(&place))?);
        (format!("sdk::{name}"), Box::new(run))
    };
    vec![
        test("pkg-config-finds-the-library-of-a-package", pkg_config),
        test("cmake-finds-the-library-of-a-package", cmake),
        test("configure-and-make-build-an-upstream-program", configure),
        test("programs-optimised-by-the-linker-and-not-at-all-work", modes),
        test("cxx-throws-in-threads-in-every-mode", cxx),
        test("cxx-throws-through-frames-of-c-and-forks-inside-try", cxx_through_c),
        test("cxx-loops-of-exceptions-let-signals-in", cxx_loops),
        test("cxx-terminates-with-the-exception-that-nobody-catches", cxx_terminates),
        test("tables-by-section-have-the-rows-of-every-file", tables),
        test("declarations-of-another-type-than-the-definition-work", declared),
        test("options-of-elf-linkers-are-taken-or-refused-by-name", linker_options),
        test("collectors-find-pointers-on-the-stack-if-linked-for-it", collector),
        test("linking-part-of-a-program-gives-an-object", relocatable),
        test("libraries-of-other-compilers-are-there", libraries),
        test("answers-for-configure-scripts-are-true", answers),
        test("tools-have-names-of-one-word", names),
        test("a-question-about-the-compiler-builds-no-library", question),
        test("a-program-of-linux-runs-in-the-directory-of-the-host", run),
        test("recipes-see-nothing-of-the-callers-build", recipe),
        test("cmake-works-below-a-directory-with-a-space", space),
        test("the-cache-lies-below-a-directory-of-any-name", any_name),
    ]
}

/// Compresses and expands its argument.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <string.h>
#include <zlib.h>
int main(int argc, char **argv)
{
	unsigned char packed[100], plain[100];
	uLongf packed_size = sizeof packed, size = sizeof plain;
	if (argc != 2) return 2;
	if (compress(packed, &packed_size, (unsigned char *)argv[1], strlen(argv[1]) + 1)) return 1;
	if (uncompress(plain, &size, packed, packed_size)) return 1;
	puts((char *)plain);
}
"#;

fn pkg_config(place: &Place) -> Result<()> {
    place.write("program.c", PROGRAM)?;
    let script = "export LINNET_WITH=zlib
        linnet cc -O2 $(linnet pkg-config --cflags zlib) -o program.wasm program.c $(linnet pkg-config --libs zlib)
        ! LINNET_WITH= linnet pkg-config --exists zlib
        linnet boot --with ./program.wasm -- program packed";
    expect(&shell(place, script)?, "packed\n")
}

fn cmake(place: &Place) -> Result<()> {
    builder()?.tool("cmake", "cmake")?;
    builder()?.tool("pkg-config", "pkg-config")?;
    place.write("program.c", PROGRAM)?;
    place.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.13)\n\
         project(program C)\n\
         find_package(ZLIB REQUIRED)\n\
         find_package(PkgConfig REQUIRED)\n\
         pkg_check_modules(PKG REQUIRED zlib)\n\
         add_executable(program program.c)\n\
         target_link_libraries(program ZLIB::ZLIB)\n\
         enable_testing()\n\
         add_test(NAME packs COMMAND program tested)\n\
         file(WRITE ${CMAKE_BINARY_DIR}/check.c \"int main(void) { return sizeof(long) == 4 ? 3 : 4; }\")\n\
         try_run(RUN BUILT ${CMAKE_BINARY_DIR}/check ${CMAKE_BINARY_DIR}/check.c)\n\
         message(STATUS \"it ran: ${RUN}\")\n",
    )?;
    let script =
        "cmake -S . -B out -DCMAKE_TOOLCHAIN_FILE=$(linnet sdk --with zlib)/linnet.cmake | grep -o 'it ran: .*'
        cmake --build out >&2
        ctest --test-dir out | grep -o '100% tests passed'
        linnet boot --with ./out/program -- program packed";
    expect(&shell(place, script)?, "it ran: 3\n100% tests passed\npacked\n")
}

/// Each answer in the file is what the program finds in the guest, and the other way round.
fn answers(place: &Place) -> Result<()> {
    place.write("answers.c", include_str!("../sdk/answers.c"))?;
    let file = include_str!("../../sysroot/tools/config.site");
    let answer = |line: &str| line.strip_prefix(": \"${")?.strip_suffix("}\"").map(str::to_owned);
    let wanted: Vec<String> = file.lines().filter_map(answer).collect();
    // clang believes that malloc leaves errno alone.
    let script = "eval \"$(linnet sdk --env)\"
        wasm32-linnet-linux-musl-cc -O2 -fno-builtin -o answers.wasm answers.c
        linnet boot --with ./answers.wasm -- answers";
    expect(&shell(place, script)?, &(wanted.join("\n") + "\n"))
}

/// A configure script that knows nothing but the name of the machine, and tools that are given as a path.
fn names(place: &Place) -> Result<()> {
    place.write("answer.c", "int answer(void) { return 42; }\n")?;
    place.write(
        "main.c",
        "#include <stdio.h>\nint answer(void);\nint main(void) { printf(\"%d\\n\", answer()); }\n",
    )?;
    let script = "eval \"$(linnet sdk --env)\"
        host=wasm32-linnet-linux-musl
        $host-gcc -O2 -c answer.c main.c
        ar=$(command -v $host-ar)
        \"$ar\" rc libanswer.a answer.o
        $host-ranlib libanswer.a
        $host-cc -o program.wasm main.o -L. -lanswer
        $host-nm libanswer.a | grep -c ' T answer'
        $host-readelf -h answer.o | grep -c WASM
        $host-objdump -h answer.o | grep -c CODE
        $host-strip program.wasm
        printf 'int x = __linnet__;' | $host-cpp - | tail -n 1
        $host-g++ -dumpmachine
        $host-pkg-config --version | grep -c '^[0-9.]*$'
        linnet boot --with ./program.wasm -- program";
    expect(&shell(place, script)?, "1\n1\n1\nint x = 1;\nwasm32-unknown-unknown\n1\n42\n")
}

fn question(place: &Place) -> Result<()> {
    let script = "LINNET_WITH=no-such-package linnet cc --version | grep -c clang
        linnet c++ -v 2>&1 | grep -c 'Configuration file: .*/linnet.cfg'
        linnet c++ -dumpmachine";
    expect(&shell(place, script)?, "1\n1\nwasm32-unknown-unknown\n")
}

/// Says what it sees, copies a line of standard input to a file, and ends with the number of its arguments.
const SEEING: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char text[256];
	puts(getcwd(text, sizeof text) ? text : "?");
	for (int i = 1; i < argc; i++) printf("<%s>", argv[i]);
	printf("%s %s\n", getenv("OWN") ?: "-", getenv("GIVEN") ?: "-");
	FILE *here = fopen("here", "r"), *copy = fopen("copy", "w"), *there = fopen("/there/file", "r");
	if (!here || !copy || !fgets(text, sizeof text, here)) return 100;
	fputs(text, stdout);
	if (there && fgets(text, sizeof text, there)) fputs(text, stdout);
	while (fgets(text, sizeof text, stdin)) fputs(text, copy);
	fputs("to standard error\n", stderr);
	return argc - 1;
}
"#;

/// As a build system runs what it has compiled: with the directory, the environment and the streams of the caller.
fn run(place: &Place) -> Result<()> {
    place.write("program.c", SEEING)?;
    let script = "linnet cc -o program.wasm program.c
        mkdir 'a directory' other
        echo there > other/file
        cd 'a directory'
        echo here > here
        status=0
        echo 'from stdin' | OWN=own linnet run --env GIVEN=given ../program.wasm one 'two  words' '$three' 2> said || status=$?
        echo status $status
        cat copy
        grep -c '^to standard error' said
        chmod -x ../program.wasm
        linnet run --dir ../other::/tmp --dir ../other::/there ../program.wasm < /dev/null | grep '^there'
        test ! -e ../other/program.wasm
        linnet run --dir . --dir .. --dir ../other --dir ../other::there ../program.wasm < /dev/null | head -n 1
        ! linnet run --timeout 1 ../program.wasm 2> said
        grep -o 'error: .*' said | grep -o '[-]-timeout is.*'";
    let own = place.directory.join("a directory").display().to_string();
    let wanted = format!(
        "{own}\n<one><two  words><$three>own given\nhere\nstatus 3\nfrom stdin\n1\nthere\n{own}\n--timeout is for programs of WASI\n"
    );
    expect(&shell(place, script)?, &wanted)
}

/// The guest's libraries are not built with what the caller has for his own program. A run of linnet that is part of
/// a build does not wait for that build.
fn recipe(place: &Place) -> Result<()> {
    builder()?.files("zlib")?;
    place.write("program.c", PROGRAM)?;
    let script = "cache=${LINNET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/linnet}
        export LINNET_CACHE=$PWD/cache
        mkdir -p cache/results
        ln -s \"$cache/sources\" cache/sources
        for part in headers musl; do cp -RL \"$cache/results/$part\" cache/results/$part; done
        export CC='linnet cc' CFLAGS=--no-such-option MAKEFLAGS=--no-such-option LINNET_WITH=zlib
        linnet cc -O2 -o program.wasm program.c -lz
        key=$(basename cache/results/zlib/*)
        rm -r cache/results/zlib cache/results/sdk
        lock=zlib-$(echo $key | cut -c1-16)
        exec 9> cache/locks/$lock
        flock 9
        ! LINNET_BUILDING=\"above $lock\" linnet cc -c program.c 2> said
        grep -o 'needs itself: .*' said";
    expect(&shell(place, script)?, "needs itself: it runs linnet, which waits for it\n")
}

/// nano is what a user would take from its author: it finds ncurses by pkg-config.
fn configure(place: &Place) -> Result<()> {
    builder()?.files("nano")?;
    let archive = builder()?.cache_path("sources/nano_7.2.orig.tar.xz");
    fs::create_dir(place.directory.join("nano")).map_err(Error::new)?;
    let archive = archive.display().to_string();
    place.run("tar", &["-C", "nano", "--strip-components=1", "-xf", &archive])?;
    let script = "cd nano
        export LINNET_WITH=ncurses
        printf '#include <ncurses.h>\\n#include <ncursesw/term.h>\\n' | linnet cc -x c -c - -o ../header.o
        ./configure --host=wasm32-linux-musl CC='linnet cc' PKG_CONFIG='linnet pkg-config' >&2
        make -j2 >&2
        cp src/nano ../nano.wasm
        cd ..
        linnet boot --with ncurses,./nano.wasm -- nano --version | head -n 1";
    expect(&shell(place, script)?, " GNU nano, version 7.2\n")
}

/// Forks between `setjmp` and `longjmp`, in two files.
fn modes(place: &Place) -> Result<()> {
    place.write(
        "a.c",
        "#include <setjmp.h>\n#include <stdio.h>\n#include <sys/wait.h>\n#include <unistd.h>\n\
         void leave(jmp_buf to);\n\
         int main(void)\n\
         {\n\
         \tjmp_buf here;\n\
         \tif (setjmp(here)) { puts(\"child\"); fflush(stdout); _exit(0); }\n\
         \tif (fork() == 0) leave(here);\n\
         \twait(0);\n\
         \tputs(\"parent\");\n\
         }\n",
    )?;
    place.write("b.c", "#include <setjmp.h>\nvoid leave(jmp_buf to) { longjmp(to, 1); }\n")?;
    for mode in ["-O2 -flto", "-O2 -flto=thin", "-O0 -g"] {
        let script = format!(
            "linnet cc {mode} -o program.wasm a.c b.c\nlinnet boot --with ./program.wasm -- program"
        );
        expect(&shell(place, &script)?, "child\nparent\n")?;
    }
    Ok(())
}

fn cxx(place: &Place) -> Result<()> {
    place.write(
        "a.cc",
        "#include <exception>\n#include <iostream>\n#include <thread>\n#include <vector>\n\
         int check(int n);\n\
         int main()\n\
         {\n\
         \tstd::vector<std::thread> threads;\n\
         \tstd::vector<std::string> said(4);\n\
         \tfor (int i = 0; i < 4; i++) threads.emplace_back([i, &said] {\n\
         \t\ttry { said[i] = std::to_string(check(i)); }\n\
         \t\tcatch (std::exception &e) { said[i] = e.what(); }\n\
         \t});\n\
         \tfor (auto &thread : threads) thread.join();\n\
         \tfor (auto &text : said) std::cout << text << '\\n';\n\
         }\n",
    )?;
    place.write(
        "b.cc",
        "#include <stdexcept>\n\
         int check(int n) { if (n > 2) throw std::range_error(\"too much\"); return n; }\n",
    )?;
    for mode in ["-O2", "-O2 -flto", "-O0 -g"] {
        let script = format!(
            "linnet c++ {mode} -o program.wasm a.cc b.cc\nlinnet boot --with ./program.wasm -- program"
        );
        expect(&shell(place, &script)?, "0\n1\n2\ntoo much\n")?;
    }
    Ok(())
}

/// The exception passes the C library's `qsort`, and `fork` returns twice inside of two `try` blocks.
const THROUGH_C: &str = r#"
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
	if (*static_cast<const int *>(a) == 0 || *static_cast<const int *>(b) == 0)
		throw std::runtime_error("a zero");
	return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}

static void sort_in(const char *who)
{
	int numbers[] = { 3, 1, 0, 2 };
	try {
		qsort(numbers, 4, sizeof *numbers, compare);
	} catch (const std::range_error &) {
		puts("of another type");
	} catch (const std::exception &e) {
		printf("%s: %s\n", who, e.what());
		throw;
	}
}

int main()
{
	setbuf(stdout, nullptr);
	try {
		try {
			pid_t child = fork();
			if (child)
				waitpid(child, nullptr, 0);
			sort_in(child ? "parent" : "child");
		} catch (int) {
			puts("of another type");
		}
	} catch (const std::runtime_error &) {
		puts("caught again");
	}
}
"#;

fn cxx_through_c(place: &Place) -> Result<()> {
    place.write("program.cc", THROUGH_C)?;
    let script = "linnet c++ -O2 -o program.wasm program.cc
        linnet boot --with ./program.wasm -- program";
    let expected = "child: a zero\ncaught again\nparent: a zero\ncaught again\n";
    expect(&shell(place, script)?, expected)
}

fn cxx_terminates(place: &Place) -> Result<()> {
    place.write("terminate.cc", include_str!("../sdk/terminate.cc"))?;
    for mode in ["-O2", "-O0 -g", "-O2 -flto"] {
        let script = format!(
            "linnet c++ {mode} -o program.wasm terminate.cc\nlinnet boot --with ./program.wasm -- program"
        );
        expect(&shell(place, &script)?, "as C++ says\n")?;
    }
    Ok(())
}

fn cxx_loops(place: &Place) -> Result<()> {
    place.write("loops.cc", include_str!("../sdk/throws-for-ever.cc"))?;
    for mode in ["-O2", "-O0"] {
        let script = format!(
            "linnet c++ {mode} -o program.wasm loops.cc
             linnet boot --cpus 1 --with ./program.wasm -- program"
        );
        expect(&shell(place, &script)?, "all were interrupted\n")?;
    }
    Ok(())
}

/// One file is in an archive.
fn tables(place: &Place) -> Result<()> {
    place.write("tables.h", include_str!("../sdk/tables.h"))?;
    place.write("a.c", include_str!("../sdk/tables-a.c"))?;
    place.write("main.c", include_str!("../sdk/tables.c"))?;
    for mode in ["-O0", "-O2 -ffunction-sections -fdata-sections -Wl,--gc-sections"] {
        let script = format!(
            "linnet cc {mode} -c a.c main.c
            rm -f liba.a
            linnet ar rcs liba.a a.o
            linnet cc {mode} -o program.wasm main.o -L. -la
            linnet boot --with ./program.wasm -- program"
        );
        expect(&shell(place, &script)?, "3 rows, 550, 0\n")?;
    }
    Ok(())
}

fn declared(place: &Place) -> Result<()> {
    place.write("a.c", include_str!("../sdk/declared.c"))?;
    place.write("b.c", include_str!("../sdk/defined.c"))?;
    let script = "linnet cc -O1 -o program.wasm a.c b.c
        linnet boot --with ./program.wasm -- program";
    expect(&shell(place, script)?, "-14 -3 1 end\n")
}

/// What Debian, Meson, libtool, CMake and configure scripts give to a linker.
const OPTIONS: &str = "-z,relro -z,now -z,noexecstack -z,defs -z,pack-relative-relocs --no-undefined -O1 --as-needed
    --gc-sections --no-gc-sections -E --export-dynamic -Bstatic -Bdynamic -Bsymbolic -Bsymbolic-functions
    --enable-new-dtags -rpath,/x -rpath=/x -rpath-link,/x -R/x --version-script,version --version-script=version
    --exclude-libs,ALL --exclude-libs=ALL --build-id --build-id=sha1 --hash-style=gnu --hash-style,both -s -S -x
    --strip-all --warn-common --fatal-warnings --no-warn-mismatch --allow-multiple-definition --wrap=malloc
    --wrap,malloc -u,main --undefined,main --defsym=here=0 --defsym,here=0 --no-keep-memory --stats -Map,map
    -Map=map --cref --sort-common --sort-section=alignment --icf=all --dynamic-list=list -plugin-opt=x
    --no-copy-dt-needed-entries --push-state,--as-needed,-lm,--pop-state --start-group,-lc,-lm,--end-group
    -soname,x --soname=x --print-map -t --trace -y,main -e,_start --compress-debug-sections=zlib
    --dependency-file=d --unresolved-symbols=report-all -L,. @options -pie -no-pie --eh-frame-hdr -I,/lib/ld.so
    --dynamic-linker=/lib/ld.so --relax --no-relax -q -M";

const REFUSED: &str =
    "-T,script --script=script -Ttext=0x1000 --section-start=.text=0 -shared --oformat=binary
    -b,elf32-i386 @missing --no-such-option";

fn linker_options(place: &Place) -> Result<()> {
    place.write("program.c", "int main(void) { return 0; }\n")?;
    place.write("version", "{ global: main; local: *; };\n")?;
    place.write(
        "options",
        "--version-script=version '-Bsymbolic-functions'\n--defsym \"here=0\"\n",
    )?;
    let script = format!(
        "linnet cc -c program.c
        for option in {} ; do linnet cc -o program.wasm -Wl,$option program.o > /dev/null; done
        for option in {} ; do
            ! linnet cc -o program.wasm -Wl,$option program.o 2> refused
            grep -q \"error: .*$(echo ${{option%%[,=]*}} | cut -c 1-8)\" refused || {{ cat refused; exit 1; }}
        done
        linnet cc -o program.wasm -lm -lc program.o
        linnet cc -s -static -rdynamic -no-pie -static-libgcc -o program.wasm program.o
        linnet boot --with ./program.wasm -- program",
        OPTIONS.replace('\n', " "),
        REFUSED.replace('\n', " ")
    );
    expect(&shell(place, &script)?, "")
}

fn collector(place: &Place) -> Result<()> {
    place.write("program.c", include_str!("../sdk/collector.c"))?;
    for mode in ["-O1", "-O2", "-O2 -mtail-call"] {
        let script = format!(
            "linnet cc {mode} -Wl,--spill-pointers -o program.wasm program.c
            linnet boot --with ./program.wasm -- program"
        );
        expect(&shell(place, &script)?, "0 wrong, the others are gone\n")?;
    }
    Ok(())
}

fn relocatable(place: &Place) -> Result<()> {
    place.write(
        "a.c",
        "#include <stdio.h>\nint b(void);\nint main(void) { return printf(\"%d\\n\", b()) < 0; }\n",
    )?;
    place.write("b.c", "int c(void);\nint b(void) { return c() + 1; }\n")?;
    place.write("c.c", "int c(void) { return 4; }\n")?;
    let script = "linnet cc -O1 -c a.c b.c c.c
        linnet cc -r -o part.o b.o c.o
        linnet cc -o program.wasm a.o part.o
        linnet boot --with ./program.wasm -- program";
    expect(&shell(place, script)?, "5\n")
}

fn libraries(place: &Place) -> Result<()> {
    place.write("program.c", "int main(void) { return 0; }\n")?;
    let script = "linnet cc -o program.wasm program.c -lm -lpthread -lrt -ldl -lutil -lcrypt -lresolv -lxnet \
        -latomic -lgcc -lgcc_s -lgcc_eh -lunwind -lssp";
    expect(&shell(place, script)?, "")
}

/// The cache is reached by a link, so that nothing is built anew.
fn space(place: &Place) -> Result<()> {
    builder()?.tool("cmake", "cmake")?;
    let cache = builder()?.cache_path("").display().to_string();
    place.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.13)\nproject(space C)\nadd_executable(program \"my program.c\")\n",
    )?;
    place.write(
        "my program.c",
        "#include <stdio.h>\nint main(void) { puts(\"below a space\"); }\n",
    )?;
    let script = format!(
        "mkdir -p 'a (b) c'
        ln -sfn '{cache}' 'a (b) c/cache'
        export LINNET_CACHE=\"$PWD/a (b) c/cache\"
        cmake -S . -B 'a (b) c/out' -DCMAKE_TOOLCHAIN_FILE=\"$(linnet sdk)/linnet.cmake\" >&2
        cmake --build 'a (b) c/out' >&2
        linnet boot --with './a (b) c/out/program' -- program"
    );
    expect(&shell(place, &script)?, "below a space\n")
}

/// Names are bytes: whatever means something to a shell, a linker or a printer of messages, and what is no text. Each
/// program is linked anew, since it prints its own name.
fn any_name(place: &Place) -> Result<()> {
    let cache = builder()?.cache_path("").display().to_string();
    let script = format!(
        r#"for name in "it's" 'a "b"' 'line
break' '50%25 %s' 'back\slash' '$HOME `x` #;&' "$(printf 'no ÿ text')" '-*[a]?@'; do
            mkdir "./d$name"
            ln -sfn '{cache}' "./d$name/cache"
            export LINNET_CACHE="$PWD/d$name/cache"
            printf '#include <stdio.h>
int main(int n, char **names) {{ puts(names[0]); }}
' > "./d$name/c$name.c"
            (cd "./d$name" && linnet cc -o "./p$name.wasm" "./c$name.c")
            linnet boot --with "./d$name/p$name.wasm" -- "p$name" > said < /dev/null
            printf 'p%s
' "$name" | cmp - said
            test -f "$(linnet sdk)/linnet.cfg"
            linnet build -o "vm$name" > built
            printf 'vm%s
' "$name" | cmp - built
        done
        echo all"#
    );
    expect(
        &shell(place, &script)?,
        "all
",
    )
}

/// What a script prints in which `linnet` is the command under test, and every command must end well.
/// What they say of their progress is shown if one does not.
pub(crate) fn shell(place: &Place, script: &str) -> Result<String> {
    let linnet = place.linnet.parent().unwrap_or(&place.directory).display().to_string();
    let head = "set -e\nlog=$PWD/log\nexec 2>$log\ntrap 'test $? = 0 || cat $log' EXIT";
    place.run("sh", &["-c", &format!("{head}\nexport PATH={linnet}:$PATH\n{script}")])
}
