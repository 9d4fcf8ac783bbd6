//! Values on the command line of the benchmark, from their text.

use std::time::Duration;

use clap::Args as _;

use crate::bench::Secret;
use crate::config::ServeArgs;
use crate::ledger::access::ApiKey;

const DURATION_MAX: Duration = Duration::from_hours(1);
/// What a side cannot be told: where it listens and keeps its data.
const RESERVED: [&str; 6] = [
    "listen",
    "data_dir",
    "database_url",
    "tls_cert",
    "tls_key",
    "tls_client_ca",
];

/// Host and port of a URL.
#[derive(Clone, Debug)]
pub(super) struct Authority(pub(super) String);

/// Settings of `serve`, as they were given and as flags.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) text: String,
    pub(super) flags: Vec<String>,
}

/// Not by the command line's own parser, which shows what it refuses.
pub(super) fn parse_secret(text: &str) -> Result<Secret, String> {
    let key = ApiKey::parse(text)
        .ok_or("PASSBOOK_API_KEY is no API key: pbk_ and 49 letters and digits")?;
    Ok(Secret(key.as_str().to_owned()))
}

pub(super) fn parse_url(url: &str) -> Result<Authority, String> {
    let authority = url.strip_prefix("http://");
    let authority = authority.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let is_plain =
        |authority: &&str| !authority.is_empty() && !authority.contains(['/', '?', '#', '@', ' ']);
    let authority = authority
        .filter(is_plain)
        .ok_or("not http://HOST:PORT".to_owned())?;
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    Ok(Authority(if after_host.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    }))
}

pub(super) fn parse_connections(text: &str) -> Result<usize, String> {
    let parsed = text.parse().ok();
    let connections = parsed.filter(|connections| (1..=10_000).contains(connections));
    connections.ok_or_else(|| "not a whole number from 1 to 10000".to_owned())
}

/// `500ms`, `10s`, `1m`; nothing finer makes sense here.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let parsed = units.into_iter().find_map(|(unit, unit_ms)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_millis(number.checked_mul(unit_ms)?))
    });
    parsed
        .filter(|duration| *duration <= DURATION_MAX)
        .ok_or_else(|| "not a time such as 500ms, 10s or 1m, at most 60m".to_owned())
}

/// The same, and not none at all.
pub(super) fn parse_some_duration(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    let some = (!duration.is_zero()).then_some(duration);
    some.ok_or_else(|| "in no time nothing can be measured".to_owned())
}

/// `name=value,…`, as `serve` will understand it.
pub(super) fn parse_settings(text: &str) -> Result<Settings, String> {
    let mut flags = Vec::new();
    for setting in text.split(',') {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("{setting} is not name=value"))?;
        if RESERVED.contains(&name.replace('-', "_").as_str()) {
            return Err(format!("{name} cannot be chosen here"));
        }
        flags.push(format!("--{}={value}", name.replace('_', "-")));
    }
    let serve = ServeArgs::augment_args(clap::Command::new("serve").no_binary_name(true));
    match serve.try_get_matches_from(&flags) {
        Ok(_) => Ok(Settings {
            text: text.to_owned(),
            flags,
        }),
        Err(error) => {
            let complaint = error.to_string();
            let first = complaint.lines().next().unwrap_or_default();
            Err(first.trim_start_matches("error: ").to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        for wrong in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "61m",
            "10h",
            "99999999999999999999s",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        assert!(parse_some_duration("0ms").is_err());
        assert_eq!(parse_some_duration("1ms"), Ok(Duration::from_millis(1)));
    }

    #[test]
    fn a_url_is_a_host_with_or_without_a_port() {
        let parsed = |url: &str| parse_url(url).map(|Authority(authority)| authority).ok();
        for (url, authority) in [
            ("http://127.0.0.1:3000", Some("127.0.0.1:3000")),
            ("http://127.0.0.1:3000/", Some("127.0.0.1:3000")),
            ("http://localhost", Some("localhost:80")),
            ("http://[::1]:3000", Some("[::1]:3000")),
            ("http://[::1]", Some("[::1]:80")),
            ("https://localhost", None),
            ("localhost:3000", None),
            ("http://localhost/api", None),
            ("http://", None),
        ] {
            assert_eq!(parsed(url).as_deref(), authority, "{url}");
        }
    }

    #[test]
    fn settings_are_those_of_serve() {
        let flags = parse_settings("batch_size_max=1,lanes=16").map(|settings| settings.flags);
        let expected = ["--batch-size-max=1", "--lanes=16"].map(str::to_owned);
        assert_eq!(flags, Ok(expected.to_vec()));
        for (wrong, words) in [
            ("lanes", "name=value"),
            ("lanes=0", "from 1 to 64"),
            ("lines=1", "--lines"),
            ("listen=127.0.0.1:1", "listen"),
            ("data-dir=/tmp", "data-dir"),
        ] {
            let complaint = parse_settings(wrong).err().unwrap_or_default();
            assert!(complaint.contains(words), "{wrong}: {complaint}");
        }
    }
}
