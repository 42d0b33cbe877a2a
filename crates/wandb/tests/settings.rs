//! The environment of W&B's own tools.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use ckptscope_wandb::{
    Key, KeyError, Mode, NumberError, PUBLIC_ADDRESS, Patience, RunId, RunIdError, Settings,
    SettingsError,
};
use tempfile::TempDir;

const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

fn read(variables: &[(&str, &str)], home: Option<&Path>) -> Result<Settings, SettingsError> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::read(variable, home)
}

#[test]
fn without_variables_it_is_the_public_server_and_nobody() {
    let settings = read(&[], None).unwrap();
    assert_eq!(settings.mode, Mode::Online);
    assert_eq!(settings.base_url, PUBLIC_ADDRESS);
    assert_eq!(settings.folder, None);
    assert_eq!(settings.patience().unwrap(), Patience::default());
    assert_eq!((&settings.entity, &settings.run_id), (&None, &None));
    assert_eq!(settings.key().unwrap(), None);
    // What is empty is not set.
    assert_eq!(
        read(&[("WANDB_MODE", ""), ("WANDB_API_KEY", " ")], None).unwrap(),
        settings
    );
}

#[test]
fn variables_mean_what_they_mean_to_wandb() {
    let settings = read(
        &[
            ("WANDB_MODE", "offline"),
            ("WANDB_BASE_URL", "https://wandb.example.org/"),
            ("WANDB_ENTITY", "us"),
            ("WANDB_PROJECT", "p"),
            ("WANDB_NAME", "n"),
            ("WANDB_RUN_ID", "run-1"),
            ("WANDB_TAGS", "one, two,,"),
            ("WANDB_RUN_GROUP", "g"),
            ("WANDB_JOB_TYPE", "j"),
            ("WANDB_NOTES", "why"),
            ("WANDB_SWEEP_ID", "s"),
            ("WANDB_DIR", "elsewhere"),
            ("WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL", "0.5"),
            ("WANDB_X_FILE_STREAM_RETRY_MAX", "2"),
            ("WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS", "0.25"),
            ("WANDB_X_FILE_STREAM_RETRY_WAIT_MAX_SECONDS", "3"),
        ],
        None,
    );
    let settings = settings.unwrap();
    assert_eq!(settings.mode, Mode::Offline);
    assert_eq!(settings.base_url, "https://wandb.example.org");
    let of_the_run = [&settings.entity, &settings.project, &settings.name];
    assert_eq!(
        of_the_run.map(|text| text.as_deref()),
        [Some("us"), Some("p"), Some("n")]
    );
    assert_eq!(settings.tags, ["one", "two"]);
    let more = [
        &settings.group,
        &settings.job_type,
        &settings.notes,
        &settings.sweep_id,
    ];
    assert_eq!(
        more.map(|text| text.as_deref()),
        [Some("g"), Some("j"), Some("why"), Some("s")]
    );
    assert_eq!(settings.run_id, Some(RunId::new("run-1").unwrap()));
    assert_eq!(settings.folder.as_deref(), Some(Path::new("elsewhere")));
    let patience = Patience {
        between_requests: Duration::from_millis(500),
        first_wait: Duration::from_millis(250),
        longest_wait: Duration::from_secs(3),
        retries: 2,
        ..Patience::default()
    };
    assert_eq!(settings.patience().unwrap(), patience);
    for (word, mode) in [
        ("dryrun", Mode::Offline),
        ("disabled", Mode::Disabled),
        ("shared", Mode::Online),
    ] {
        assert_eq!(read(&[("WANDB_MODE", word)], None).unwrap().mode, mode);
    }
}

#[test]
fn what_cannot_be_understood_is_told() {
    let told = |name, value| read(&[(name, value)], None).unwrap_err();
    assert!(matches!(told("WANDB_MODE", "on"), SettingsError::Mode { found } if found == "on"));
    assert!(matches!(
        told("WANDB_RUN_ID", "../x"),
        SettingsError::RunId(_)
    ));
}

#[test]
fn what_only_an_upload_needs_is_told_when_it_is_asked_for() {
    let interval = "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL";
    let retries = "WANDB_X_FILE_STREAM_RETRY_MAX";
    for (variable, value) in [
        (interval, "soon"),
        (interval, "-1"),
        (interval, "NaN"),
        (interval, "1e30"),
        (retries, "-1"),
    ] {
        let settings = read(&[(variable, value)], None).unwrap();
        let error = settings.patience().unwrap_err();
        let found = value.to_owned();
        let expected = NumberError { variable, found };
        assert!(matches!(error, SettingsError::Number(told) if told == expected));
    }
    let settings = read(&[("WANDB_API_KEY", "se cret")], None).unwrap();
    assert!(settings.patience().is_ok());
    let broken = settings.key().unwrap_err();
    let shown = format!("{broken} {broken:?} {settings:?}");
    assert!(shown.contains("WANDB_API_KEY") && !shown.contains("cret"));
}

#[test]
fn a_key_is_shown_nowhere() {
    let settings = read(&[("WANDB_API_KEY", KEY)], None).unwrap();
    assert_eq!(settings.key().unwrap(), Some(Key::new(KEY).unwrap()));
    assert!(!format!("{settings:?}").contains(KEY));
    assert_eq!(Key::new("  \n"), Err(KeyError::Malformed));
    assert_eq!(Key::new(" abc\n"), Key::new("abc"));
}

#[test]
fn the_netrc_file_has_the_key_of_the_server() {
    let home = TempDir::new().unwrap();
    let local = "machine localhost:8080\n  login user\n  password local\n";
    let public = format!("machine api.wandb.ai\n  login user\n  password {KEY}\n");
    fs::write(home.path().join(".netrc"), format!("{local}{public}")).unwrap();
    let key = |variables: &[(&str, &str)]| {
        let settings = read(variables, Some(home.path())).unwrap();
        settings.key().unwrap()
    };
    assert_eq!(key(&[]), Some(Key::new(KEY).unwrap()));
    let own = ("WANDB_BASE_URL", "http://localhost:8080/");
    assert_eq!(key(&[own]), Some(Key::new("local").unwrap()));
    assert_eq!(key(&[("WANDB_BASE_URL", "http://localhost:8081")]), None);
    assert_eq!(
        key(&[("WANDB_API_KEY", "first")]),
        Some(Key::new("first").unwrap())
    );

    let other = home.path().join("other");
    fs::write(&other, "default login user password other").unwrap();
    for named in [other.to_str().unwrap(), "~/other"] {
        assert_eq!(key(&[("NETRC", named)]), Some(Key::new("other").unwrap()));
    }
    assert_eq!(key(&[("NETRC", "~/nothing")]), None);
}

#[test]
fn a_broken_netrc_file_is_told_with_its_path() {
    let home = TempDir::new().unwrap();
    let path = home.path().join(".netrc");
    fs::write(&path, "machine api.wandb.ai\n  login user\n  hunter2\n").unwrap();
    let settings = read(&[], Some(home.path())).unwrap();
    let told = settings.key().unwrap_err().to_string();
    assert!(
        told.contains(path.to_str().unwrap()) && told.contains("line 3"),
        "{told}"
    );
    assert!(!told.contains("hunter2"));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    let unreadable = settings.key().unwrap_err();
    assert!(matches!(unreadable, SettingsError::Unreadable { .. }));
}

#[test]
fn ids_fit_files_and_addresses() {
    for good in ["abc12345", "2026 run_1.a", "é"] {
        assert_eq!(RunId::new(good).unwrap().as_str(), good);
    }
    for (bad, why) in [
        ("", RunIdError::NoName),
        (" ", RunIdError::NoName),
        ("..", RunIdError::NoName),
        ("a/b", RunIdError::Reserved),
        ("a\\b", RunIdError::Reserved),
        ("a\n", RunIdError::Reserved),
        (" a", RunIdError::Reserved),
    ] {
        assert_eq!(RunId::new(bad), Err(why), "{bad:?}");
    }
    assert_eq!(RunId::new(&"x".repeat(129)), Err(RunIdError::Long));
    let random = RunId::random();
    assert_eq!(random.as_str().len(), 8);
    assert_ne!(random, RunId::random());
}
