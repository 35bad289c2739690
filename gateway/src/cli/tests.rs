//! The command line as a whole: it is well formed, every command has examples, and flags become settings.

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("samtale").chain(line.split_whitespace()))
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_a_help_with_examples() {
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        if !command.has_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  "), "`{path}` has no examples");
            assert!(command.get_about().is_some(), "`{path}` does not say what it does");
            found.push(path.to_owned());
        }
        for sub in command.get_subcommands() {
            leaves(sub, &format!("{path} {}", sub.get_name()), found);
        }
    }
    let mut found = Vec::new();
    leaves(&Cli::command(), "samtale", &mut found);
    for expected in [
        "samtale serve",
        "samtale demo",
        "samtale import oneroster",
        "samtale people list",
        "samtale people codes",
        "samtale people set-password",
        "samtale people disable",
        "samtale people enable",
        "samtale backup",
        "samtale restore",
        "samtale migrate",
        "samtale copy",
        "samtale check-config",
        "samtale version",
        "samtale completions",
    ] {
        assert!(found.iter().any(|path| path == expected), "`{expected}` is missing");
    }
}

#[test]
fn the_forms_that_scripts_rely_on_are_understood() {
    for line in [
        "demo --data d --listen 127.0.0.1:0 --json",
        "serve --data d --set limits.sessions=5 --log-level debug",
        "import oneroster roster.zip --data d --dry-run --strict --force --json",
        "people list --data d --json",
        "people codes --data d --class 3.A --html --language en",
        "people set-password anne --data d",
        "backup --data d --to b",
        "migrate --set cql.nodes=a:9042 --status --json",
        "migrate --config c.toml --dry-run",
        "copy --from d --to a:9042,b:9042/school --json",
        "copy --from d --config c.toml --rows 500",
        "restore --from b --data d",
        "check-config --reference",
        "completions fish",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
    for line in [
        "",
        "dance",
        "import d",
        "people codes --html --json",
        "serve --set sessions",
        "people disable",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn flags_become_settings() {
    let Ok(Cli {
        command: Subcommands::Serve(serve),
    }) = parse("serve --data d --keys k --listen 127.0.0.1:0 --set limits.sessions=5 --log-level warn")
    else {
        panic!("not understood")
    };
    let config = serve.settings().load().unwrap();
    assert_eq!((config.data, config.keys), ("d".into(), Some("k".into())));
    assert_eq!((config.listen.port(), config.limits.sessions), (0, 5));
    let Ok(Cli {
        command: Subcommands::Serve(serve),
    }) = parse("serve --set limits.sesions=5")
    else {
        panic!("not understood")
    };
    assert!(
        serve
            .settings()
            .load()
            .unwrap_err()
            .to_string()
            .contains("did you mean `limits.sessions`?")
    );
}
