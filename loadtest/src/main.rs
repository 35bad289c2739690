//! The program `samtale-loadtest`.

fn main() -> std::process::ExitCode {
    samtale_loadtest::cli::main()
}
