//! The program `kata`. Everything is in the library beside it.

fn main() -> std::process::ExitCode {
    kata_cli::main()
}
