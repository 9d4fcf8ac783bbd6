//! What the URL of a database asks for: all of it is obeyed, or it is refused.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::StorageError;

/// What libpq knows and the service does not obey (PostgreSQL's manual, section 34.1.2). `ssl` is for URLs of JDBC.
const UNSUPPORTED: &[&str] = &[
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_issuer",
    "oauth_scope",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "scram_client_key",
    "scram_server_key",
    "service",
    "servicefile",
    "ssl",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkeylogfile",
    "sslnegotiation",
    "sslpassword",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// A URL that is understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Understood {
    /// The same for sqlx and for libpq, in the words of libpq.
    pub(super) url: String,
    /// How many statements each connection keeps prepared; of it, libpq knows nothing.
    pub(super) statement_cache_capacity: Option<usize>,
    /// The names of parameters that are left out: nobody knows them, or they do no harm.
    pub(super) left_out: Vec<String>,
}

/// # Errors
/// If the text is no PostgreSQL URL, names several hosts, or asks for something that is not obeyed. No value is shown:
/// a value may be a password.
pub(super) fn parse(text: &str) -> Result<Understood, StorageError> {
    let starts = ["postgres://", "postgresql://"];
    let start = starts.iter().find(|start| text.starts_with(**start));
    let start =
        start.ok_or_else(|| unfit("a PostgreSQL URL starts with postgres:// or postgresql://"))?;
    if text.contains('#') {
        return Err(unfit("in a URL, a # is written %23"));
    }
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let authority = address[start.len()..].split('/').next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    check_host(hosts)?;
    let mut understood = Understood {
        url: address.to_owned(),
        statement_cache_capacity: None,
        left_out: Vec::new(),
    };
    let (mut known, mut options): (Vec<(&str, String)>, Vec<String>) = Default::default();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').ok_or_else(|| {
            unfit("its URL has a parameter without a value: in a value, a & is written %26")
        })?;
        let (name, value) = (decode(name)?, decode(value)?);
        match (libpq_name(&name), name.as_str()) {
            (Some("options"), "options") => options.push(value),
            (Some("options"), _) => options.push(option(&name, &value)),
            (Some(known_name), _) => {
                check_value(known_name, &value)?;
                known.push((known_name, value));
            }
            (None, "statement-cache-capacity") => {
                let count = value
                    .parse()
                    .map_err(|_| unfit("statement-cache-capacity is a number"))?;
                understood.statement_cache_capacity = Some(count);
            }
            // `application_name` among them: services know each other by theirs.
            (None, _) => {
                refuse(&name)?;
                understood.left_out.push(name);
            }
        }
    }
    if !options.is_empty() {
        known.push(("options", options.join(" ")));
    }
    let has = |asked: &str| known.iter().any(|(name, _)| *name == asked);
    let has_host = has("host") || !hosts.split(':').next().unwrap_or_default().is_empty();
    if has("hostaddr") && has_host {
        return Err(unfit("its URL has a host and a hostaddr: name one of them"));
    }
    for (position, (name, value)) in known.iter().enumerate() {
        let before = if position == 0 { '?' } else { '&' };
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        understood.url.push_str(&format!("{before}{name}={value}"));
    }
    Ok(understood)
}

/// What libpq calls a parameter that sqlx knows by this name.
fn libpq_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "sslmode" | "ssl-mode" => "sslmode",
        "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "sslrootcert",
        "sslcert" | "ssl-cert" => "sslcert",
        "sslkey" | "ssl-key" => "sslkey",
        "host" => "host",
        "hostaddr" => "hostaddr",
        "port" => "port",
        "dbname" => "dbname",
        "user" => "user",
        "password" => "password",
        "options" => "options",
        name if name.starts_with("options[") && name.ends_with(']') => "options",
        _ => return None,
    })
}

/// A setting of the server as `options[name]=value`, which sqlx has beside libpq's `options`.
fn option(name: &str, value: &str) -> String {
    let name = name.trim_start_matches("options[").trim_end_matches(']');
    let escaped = format!("{name}={value}")
        .replace('\\', "\\\\")
        .replace(' ', "\\ ");
    format!("-c {escaped}")
}

fn refuse(name: &str) -> Result<(), StorageError> {
    if UNSUPPORTED.contains(&name) {
        return Err(unfit(&format!(
            "the parameter {name} of its URL is not supported: leave it out"
        )));
    }
    let small = name.to_lowercase();
    if UNSUPPORTED.contains(&small.as_str()) || libpq_name(&small).is_some() {
        return Err(unfit(&format!(
            "the parameter {name} of its URL is written {small}"
        )));
    }
    Ok(())
}

fn check_value(name: &str, value: &str) -> Result<(), StorageError> {
    match name {
        "host" | "hostaddr" => check_host(value),
        "port" if value.contains(',') => Err(several_hosts()),
        _ => Ok(()),
    }
}

/// A comma stands between hosts, in names of sockets too, and written as %2C too.
pub(super) fn check_host(host: &str) -> Result<(), StorageError> {
    if decode(host)?.contains(',') {
        return Err(several_hosts());
    }
    Ok(())
}

fn several_hosts() -> StorageError {
    unfit("several hosts are not supported: name one")
}

/// As in forms, a plus is a blank.
fn decode(text: &str) -> Result<String, StorageError> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8();
    let decoded = decoded.map_err(|_| unfit("its URL holds what is not UTF-8"))?;
    Ok(decoded.into_owned())
}

fn unfit(reason: &str) -> StorageError {
    StorageError::Unfit(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        parse(text).expect(text).url
    }

    #[test]
    fn what_is_understood_is_passed_on_in_the_words_of_libpq() {
        for (given, passed_on) in [
            ("postgres://host/books", "postgres://host/books"),
            (
                "postgresql://a:p%40s@[::1]:5433/b",
                "postgresql://a:p%40s@[::1]:5433/b",
            ),
            (
                "postgres:///b?host=%2Frun%2Fpg&port=5433&user=ann&password=p%26%3D+s&dbname=c",
                "postgres:///b?host=%2Frun%2Fpg&port=5433&user=ann&password=p%26%3D%20s&dbname=c",
            ),
            (
                "postgres://h/b?ssl-mode=verify-full&ssl-ca=%2Fca&sslcert=c&ssl-key=k",
                "postgres://h/b?sslmode=verify%2Dfull&sslrootcert=%2Fca&sslcert=c&sslkey=k",
            ),
            (
                "postgres://h/b?options=-c%20geqo%3Doff&options[search_path]=a%20b&&",
                "postgres://h/b?options=%2Dc%20geqo%3Doff%20%2Dc%20search%5Fpath%3Da%5C%20b",
            ),
            (
                "postgres:///b?hostaddr=127.0.0.1",
                "postgres:///b?hostaddr=127%2E0%2E0%2E1",
            ),
            (
                "postgres://h/b?%73slmode=require",
                "postgres://h/b?sslmode=require",
            ),
        ] {
            assert_eq!(url(given), passed_on);
        }
        let pooled = parse("postgres://h/b?statement-cache-capacity=0").expect("a URL");
        assert_eq!(
            (pooled.url.as_str(), pooled.statement_cache_capacity),
            ("postgres://h/b", Some(0))
        );
    }

    #[test]
    fn what_nobody_knows_is_left_out() {
        let text = "postgres://h/b?foo=1&sslmode=require&b%61r=2&application_name=x";
        let understood = parse(text).expect("a URL");
        assert_eq!(understood.url, "postgres://h/b?sslmode=require");
        assert_eq!(understood.left_out, ["foo", "bar", "application_name"]);
    }

    #[test]
    fn what_would_be_half_obeyed_is_refused_and_no_value_is_shown() {
        let several = "several hosts";
        for (given, words) in [
            ("mysql://h/b", "starts with postgres://"),
            ("postgres://ann:hush@h1,h2/b", several),
            ("postgres://ann:hush@h1:5432,h2:5433/b", several),
            ("postgres://ann:hush@h1%2Ch2/b", several),
            ("postgres:///b?password=hush&host=h1,h2", several),
            ("postgres:///b?password=hush&host=%2Frun%2Ca", several),
            (
                "postgres:///b?password=hush&hostaddr=127.0.0.1,127.0.0.2",
                several,
            ),
            ("postgres://h/b?password=hush&port=5432,5433", several),
            (
                "postgres://h/b?password=hush&hostaddr=127.0.0.1",
                "hostaddr",
            ),
            (
                "postgres://h/b?password=hush&target_session_attrs=any",
                "target_session_attrs",
            ),
            (
                "postgres://h/b?password=hush&t%61rget_session_attrs=any",
                "target_session_attrs",
            ),
            (
                "postgres://h/b?password=hush&load_balance_hosts=random",
                "load_balance_hosts",
            ),
            (
                "postgres://h/b?password=hush&channel_binding=require",
                "channel_binding",
            ),
            (
                "postgres://h/b?password=hush&gssencmode=disable",
                "gssencmode",
            ),
            (
                "postgres://h/b?password=hush&SSLMODE=require",
                "is written sslmode",
            ),
            ("postgres://h/b?password=a&hush", "%26"),
            ("postgres://h/b?password=a#hush", "%23"),
            ("postgres://h/b?password=hush%ff", "UTF-8"),
            (
                "postgres://h/b?statement-cache-capacity=hush",
                "is a number",
            ),
        ] {
            let refused = parse(given).expect_err(given).to_string();
            assert!(refused.contains(words), "{given}: {refused}");
            assert!(!refused.contains("hush"), "{refused}");
        }
    }
}
