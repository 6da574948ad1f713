use super::{Config, Settings};

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    let mut settings = Settings::default();
    settings.add_variables(
        variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    );
    Config::read(&mut settings).map_err(|error| error.to_string())
}

#[test]
fn nothing_set_gives_the_defaults() {
    let config = read(&[("PATH", "/bin"), ("TANPUHUI_TEST_POSTGRES", "x")]).expect("defaults hold");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.limits.caller.per_minute, 600);
    assert!(config.redis.url.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut settings = Settings::default();
    settings
        .add_toml("[http]\nlisten = \"0.0.0.0:1\"\nworkers = 3\n", "a.toml")
        .expect("the file is sound");
    settings
        .add_variables([("TANPUHUI_HTTP_LISTEN".to_owned(), "0.0.0.0:2".to_owned())].into_iter());
    let config = Config::read(&mut settings).expect("both are sound");
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!(config.http.workers, 3);
}

#[test]
fn nonsense_is_refused_by_name() {
    for (name, value) in [
        ("TANPUHUI_HTTP_LISTEN", "here"),
        ("TANPUHUI_HTTP_WORKERS", "many"),
        ("TANPUHUI_HTTP_PUBLIC_URL", "example.org"),
        ("TANPUHUI_DATABASE_URL", "mysql://x"),
        ("TANPUHUI_DATABASE_WRITERS", "0"),
        ("TANPUHUI_REDIS_URL", "http://x"),
        ("TANPUHUI_LOG_SEED", "abc"),
        ("TANPUHUI_REDEMPTION_CODE_KEY", "abc"),
        ("TANPUHUI_REDEMPTION_ZONE", "Mars/Olympus"),
        ("TANPUHUI_LOG_SEED_FILE", "/nonexistent/seed"),
        ("TANPUHUI_LOGGING_FORMAT", "xml"),
        ("TANPUHUI_PULL_WORKERS", "-1"),
        ("TANPUHUI_PULL_CREDENTIAL_", "x"),
        ("TANPUHUI_PULL_CREDENTIAL_METRO", "two\nlines"),
        ("TANPUHUI_PULL_CREDENTIAL_METRO_FILE", "/nonexistent/secret"),
        ("TANPUHUI_HTTP_LISTENS", "127.0.0.1:1"),
    ] {
        let error = read(&[(name, value)]).expect_err("nonsense is refused");
        assert!(error.contains(name), "{error} does not name {name}");
    }
}

#[test]
fn a_file_with_an_unknown_setting_is_refused() {
    let mut settings = Settings::default();
    settings
        .add_toml("[http]\nlistens = 1\n", "a.toml")
        .expect("it is TOML");
    let error = Config::read(&mut settings)
        .expect_err("the name is unknown")
        .to_string();
    assert!(error.contains("http.listens"), "{error}");
}

#[test]
fn secrets_do_not_show() {
    let seed = "11".repeat(32);
    let config = read(&[
        ("TANPUHUI_DATABASE_URL", "postgres://u:hush1@h/d"),
        ("TANPUHUI_REDIS_URL", "redis://:hush2@h"),
        ("TANPUHUI_EXCHANGE_TOKEN", "hush3"),
        ("TANPUHUI_PULL_CREDENTIAL_METRO", "hush4"),
        ("TANPUHUI_LOG_SEED", &seed),
    ])
    .expect("all sound");
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush") && !shown.contains(&seed), "{shown}");
    assert_eq!(config.pull.credentials.len(), 1);
    assert!(config.pull.credentials.contains_key("metro"));
    assert_eq!(config.log.seed.expect("set").bytes(), [0x11; 32]);
}
