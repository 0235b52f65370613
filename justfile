# Short names for what is done often; `just` alone lists them.

[private]
default:
    @just --list

# Compile everything without building it
check:
    cargo check --all-targets

# Run all tests, one filter or more if given; PostgreSQL is used where it is installed
test *filter:
    cargo test {{filter}}

# Bring all files into the one form
fmt:
    cargo fmt

# The form and the lints, as in CI
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# Build the documentation of the source, private items too, and open it
docs:
    cargo doc --no-deps --document-private-items --open

# Everything at once on this machine: carrier, registry, service, conversations, billing
demo *arguments:
    cargo run --release -- demo {{arguments}}

# Measure
bench *filter:
    cargo bench {{filter}}

# All that must be green before a change is taken; one step or more if named (see .ci/run)
ci *steps:
    .ci/run {{steps}}

# Feed any octets to what reads the network, so many seconds for each target (fuzz/README.md says what it needs)
fuzz seconds="60" *targets:
    fuzz/run {{seconds}} {{targets}}
