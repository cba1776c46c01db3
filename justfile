# Recipes for those who work on Linnet. `just` alone lists them.

_list:
    @just --list

# Boot Linux; arguments are those of `linnet boot`
[group: 'run']
boot *ARGS:
    cargo boot {{ARGS}}

# Build the boot binary and print where it is
[group: 'run']
build *ARGS:
    cargo run --quiet --release -p linnet -- build {{ARGS}}

# Run all tests, or those whose name holds FILTER
[group: 'test']
test FILTER='':
    cargo test --release --no-fail-fast -- {{FILTER}}

# Run the tests of whole machines only
[group: 'test']
machines FILTER='':
    cargo test --release -p linnet-tests -- {{FILTER}}

# Run the tests of machines with that version of Linux, say 7.3
[group: 'test']
kernel VERSION FILTER='':
    LINNET_KERNEL={{VERSION}} cargo test --release -p linnet-tests --test linnet -- {{FILTER}}

# Build every package and run its test, for every CPU
[group: 'test']
packages FILTER='packages::':
    cargo test --release -p linnet-tests --test linnet -- --include-ignored {{FILTER}}

# Run other projects' tests of Linux in the guest and on this machine; as root, half an hour
[group: 'test']
suites *NAMES:
    cargo test --release -p linnet-tests --test suites -- {{NAMES}}

# Storm machines of 1 to 8 vCPUs with processes of all kinds, and check what they see
[group: 'test']
soak MINUTES='30':
    cargo test --release -p linnet-tests --test soak -- {{MINUTES}}

# Compile, translate and run GCC's tests of compilers, or those whose name holds FILTER
[group: 'test']
torture FILTER='O':
    cargo test --release -p linnet-tests --test torture -- {{FILTER}}

# Run the runtime's unit tests under Miri; minutes
[group: 'test']
miri FILTER='':
    MIRIFLAGS=-Zmiri-permissive-provenance cargo +nightly miri test --target-dir target/miri -p linnet-machine --lib -- {{FILTER}}

# Run the official WebAssembly test suite, or its files whose names hold one of NAMES
[group: 'test']
spec *NAMES:
    cargo test --release -p linnet-spec --test suite -- {{NAMES}}

# Compare random modules on all CPUs with wasmtime; those that fail are kept in target/tmp/fuzz
[group: 'test']
fuzz SECONDS='600':
    FUZZ_SECONDS={{SECONDS}} cargo test --release -p linnet-spec --test fuzz

# Freeze and resume ROUNDS times, kill KILLS machines that move, change snapshots MUTATIONS times; an hour
[group: 'test']
freeze ROUNDS='1000' KILLS='200' MUTATIONS='100000':
    FREEZE_ROUNDS={{ROUNDS}} cargo test --release -p linnet-tests --test linnet -- chain-of-machines
    MIGRATE_KILLS={{KILLS}} cargo test --release -p linnet-tests --test linnet -- one-machine-runs-on
    SNAPSHOT_MUTATIONS={{MUTATIONS}} cargo test --release -p linnet-tests --test linnet -- mutated::

# Put a module in the kernel's place that makes CALLS host calls of all kinds on each ISA
[group: 'test']
hostile CALLS='1000000':
    HOSTILE_CALLS={{CALLS}} cargo test --release -p linnet-tests --test linnet -- hostile-kernel::

# Run machines on an emulated host with few mappings, without overcommitment, and with addresses of 57 bits
[group: 'test']
settings:
    tests/settings.sh "$(cargo run --quiet --release -p linnet -- build --target x86_64)"

# Run all tests of the guest with a TLB of seven mappings
[group: 'test']
tiny-tlb FILTER='':
    TINY_TLB=all cargo test --release -p linnet-tests --test linnet -- tiny-tlb::{{FILTER}}

# Write what the commands print now into the files of tests/cli
[group: 'test']
bless:
    BLESS=1 cargo test --release -p linnet-tests -- cli::

# Print the kernel's C header from the tables of runtime/abi
[group: 'test']
bless-header:
    BLESS=1 cargo test -p linnet-abi

# Format all Rust code
[group: 'check']
fmt:
    cargo fmt

# Look for mistakes
[group: 'check']
lint:
    cargo fmt --check
    cargo clippy --release --all-targets -- -D warnings

# What CI runs
[group: 'check']
ci:
    .ci/run

# Build the book into target/book
[group: 'docs']
docs:
    mdbook build docs

# Time of a boot that does nothing, ten times
[group: 'bench']
bench-boot:
    #!/usr/bin/env bash
    set -euo pipefail
    vm=$(cargo run --quiet --release -p linnet -- build)
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        /usr/bin/env time -f '%e s, %M KiB' "$vm" --cpus 1 -- true
    done

# What processes, memory and system calls cost; without NAMES all, for the book
[group: 'bench']
bench *NAMES:
    cargo bench --quiet -p linnet-tests --bench process -- {{NAMES}}

# What it costs to freeze, resume and move a machine
[group: 'bench']
bench-freeze:
    cargo bench --quiet -p linnet-tests --bench freeze

# How fast translated programs are, against native code and other translators; without NAMES all, for the book
[group: 'bench']
bench-translator *NAMES:
    cargo bench --quiet -p linnet-tests --bench translator -- {{NAMES}}
