//! That the alerts and the dashboard ask for nothing that nobody tells.

use std::fs;
use std::mem;

use serde_json::Value;
use tempfile::TempDir;

use super::{scrape, series};
use crate::support::Bank;
use crate::support::process::run;

const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");
const DASHBOARD: &str = include_str!("../../../deploy/grafana/passbook.json");

/// The words of Prometheus' language that are in use; any other is taken for a metric.
const WORDS: [&str; 10] = [
    "absent",
    "and",
    "by",
    "histogram_quantile",
    "increase",
    "max",
    "or",
    "rate",
    "sum",
    "time",
];
/// What Prometheus tells by itself.
const FOREIGN: &str = "up";
/// Labels that Prometheus adds to every series.
const ADDED: [&str; 2] = ["instance", "job"];

/// What an expression asks for of one metric; or one series as it is told, which is written in the same way.
struct Selector<'t> {
    metric: &'t str,
    matchers: Vec<Matcher<'t>>,
    /// Labels by which it is grouped.
    groups: Vec<&'t str>,
}

/// `label="value"`.
struct Matcher<'t> {
    label: &'t str,
    sign: String,
    value: &'t str,
}

/// The expressions of the rules: each behind its `expr: `, or on the lines below where it says `>-`.
fn asked_by_alerts(yaml: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut asked, mut lines) = (Vec::new(), yaml.lines());
    while let Some(line) = lines.next() {
        match line.trim_start().strip_prefix("expr: ") {
            Some(">-") => {
                let below = lines
                    .by_ref()
                    .take_while(|next| indent(line) < indent(next));
                asked.push(below.map(str::trim).collect::<Vec<&str>>().join(" "));
            }
            Some(expr) => asked.push(expr.to_owned()),
            None => {}
        }
    }
    assert_eq!(asked.len(), yaml.matches("- alert: ").count());
    asked
}

/// The expressions of the panels, and what the choices above them are made from.
fn asked_by_dashboard(json: &str) -> Vec<String> {
    let dashboard: Value = serde_json::from_str(json).expect("JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let panels = list(&dashboard["panels"]);
    let targets = panels.iter().flat_map(|panel| list(&panel["targets"]));
    let mut asked: Vec<String> = targets
        .map(|target| target["expr"].as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(asked.len(), json.matches("\"expr\": ").count());
    for choice in list(&dashboard["templating"]["list"]) {
        let Some(query) = choice["query"]["query"].as_str() else {
            continue;
        };
        let values = query.strip_prefix("label_values(");
        let values = values.and_then(|values| values.strip_suffix(')')?.split_once(", "));
        let (metric, label) = values.expect("the values of a label");
        asked.push(format!("sum by ({label}) ({metric})"));
    }
    asked
}

/// Words, texts with their quotes, and signs of one letter; ranges are left out.
fn tokens(mut rest: &str) -> Vec<&str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => 2 + rest[1..].find('"').expect("the end of a text"),
            '[' => 1 + rest.find(']').expect("the end of a range"),
            _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if first != '[' && !first.is_whitespace() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// Every metric of an expression. A `by` stands before what it groups.
fn selectors(expr: &str) -> Vec<Selector<'_>> {
    let is_name = |token: &str| token.starts_with(|first: char| first.is_ascii_alphabetic());
    let (mut found, mut groups) = (Vec::new(), Vec::new());
    let mut tokens = tokens(expr).into_iter().peekable();
    while let Some(token) = tokens.next() {
        if token == "by" {
            let labels = tokens.by_ref().take_while(|token| *token != ")");
            groups.extend(labels.filter(|token| is_name(token)));
        } else if is_name(token) && !WORDS.contains(&token) {
            let mut matchers = Vec::new();
            if tokens.next_if_eq(&"{").is_some() {
                let inside: Vec<&str> = tokens.by_ref().take_while(|token| *token != "}").collect();
                matchers.extend(inside.split(|token| *token == ",").map(Matcher::of));
            }
            found.push(Selector {
                metric: token,
                matchers,
                groups: mem::take(&mut groups),
            });
        }
    }
    assert!(groups.is_empty(), "a `by` before nothing: {expr}");
    found
}

impl<'t> Selector<'t> {
    /// Of a series that is told: the value of a label.
    fn value(&self, label: &str) -> Option<&'t str> {
        let mut matchers = self.matchers.iter();
        matchers
            .find(|matcher| matcher.label == label)
            .map(|matcher| matcher.value)
    }

    /// What is wrong with asking for it, if these are all the series that are told.
    fn complaint(&self, told: &[Selector<'_>]) -> Option<String> {
        let metric = self.metric;
        let told = || told.iter().filter(|series| series.metric == metric);
        if told().next().is_none() {
            return Some(format!("{metric}, which nobody tells"));
        }
        let groups = self.groups.iter().filter(|label| !ADDED.contains(label));
        for label in groups {
            if told().any(|series| series.value(label).is_none()) {
                return Some(format!("{metric} by {label}, which it does not have"));
            }
        }
        let matchers = || {
            let all = self.matchers.iter();
            all.filter(|matcher| !ADDED.contains(&matcher.label))
        };
        let is_told = told().any(|series| matchers().all(|matcher| matcher.fits(series)));
        let labels: Vec<&str> = matchers().map(|matcher| matcher.label).collect();
        (!is_told).then(|| format!("{metric} with another {} than is told", labels.join(", ")))
    }
}

impl<'t> Matcher<'t> {
    fn of(tokens: &[&'t str]) -> Self {
        let [label, sign @ .., value] = tokens else {
            panic!("label, sign, value: {tokens:?}");
        };
        Self {
            label,
            sign: sign.concat(),
            value: value.trim_matches('"'),
        }
    }

    fn fits(&self, series: &Selector<'_>) -> bool {
        let told = series.value(self.label);
        match self.sign.as_str() {
            "=" => told == Some(self.value),
            "=~" => told.is_some_and(|told| self.value.split('|').any(|one| is_like(one, told))),
            sign => panic!("{sign} is not in use"),
        }
    }
}

/// Of regular expressions only the dot is in use.
fn is_like(pattern: &str, told: &str) -> bool {
    let mut letters = pattern.chars().zip(told.chars());
    pattern.len() == told.len() && letters.all(|(one, other)| one == '.' || one == other)
}

#[tokio::test]
async fn alerts_and_dashboard_ask_for_series_that_exist() {
    let bank = Bank::open().await;
    let user = bank.user("1").await;
    // A refusal and a fault: some series are there only after the first.
    assert_eq!(user.change("-1000").await.status, 400);
    bank.plant("alter table entries add constraint poison check (amount <> 13)")
        .await;
    assert_eq!(user.change("13").await.status, 500);
    let mut told: Vec<String> = scrape(&bank).await.into_keys().collect();
    told.push(FOREIGN.to_owned());
    // The audits have an end, so they leave files.
    let kept = TempDir::new().expect("a directory");
    let path = |name: &str| kept.path().join(name).display().to_string();
    let (file, checkpoint) = (path("passbook.prom"), path("checkpoint"));
    let url = bank.database_url.as_str();
    let full = ["verify", "--metrics", &file, "--database-url", url];
    for args in [
        full.to_vec(),
        [&full[..], &["--since", &checkpoint]].concat(),
    ] {
        let verified = run(&args);
        assert_eq!(verified.status.code(), Some(0), "{verified:?}");
        let audit = fs::read_to_string(&file).expect("a file");
        told.extend(series(&audit).into_keys());
    }
    let told: Vec<Selector<'_>> = told.iter().flat_map(|series| selectors(series)).collect();
    let mut complaints = Vec::new();
    for (file, asked) in [
        ("alerts.yml", asked_by_alerts(ALERTS)),
        ("passbook.json", asked_by_dashboard(DASHBOARD)),
    ] {
        assert!(5 < asked.len(), "{file} asks for something");
        for expr in &asked {
            let wrong = selectors(expr).into_iter();
            let wrong = wrong.filter_map(|asked| asked.complaint(&told));
            complaints.extend(wrong.map(|wrong| format!("{file} asks for {wrong}: {expr}")));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    bank.close().await;
}

#[test]
fn whatever_nobody_tells_is_complained_of() {
    let told = [
        r#"a_faults_total{fault="bug"}"#,
        r#"a_faults_total{fault="unknown"}"#,
        r#"a_wait_seconds_bucket{route="/a/{id}",status="503",le="1"}"#,
        r#"a_wait_seconds_count{route="/a/{id}",status="503"}"#,
    ];
    let told: Vec<Selector<'_>> = told.into_iter().flat_map(selectors).collect();
    let complaints = |expr| {
        let asked = selectors(expr).into_iter();
        asked.filter_map(|asked| asked.complaint(&told)).count()
    };
    for fine in [
        r#"rate(a_faults_total{instance=~"$instance",fault="bug"}[5m]) > 0.5"#,
        "sum by (fault, instance) (a_faults_total)",
        "histogram_quantile(0.9, sum by (le) (rate(a_wait_seconds_bucket[1m]))) / 1e6",
        r#"a_wait_seconds_count{status=~"4..|5.."} or absent(a_wait_seconds_count{route="/a/{id}"})"#,
    ] {
        assert_eq!(complaints(fine), 0, "{fine}");
    }
    for wrong in [
        "a_fault_total > 0",
        "other_total",
        // A histogram has no series of that name.
        "rate(a_wait_seconds[1m])",
        "a_wait_seconds_sum",
        r#"a_faults_total{fault="bugs"}"#,
        r#"a_faults_total{kind="bug"}"#,
        r#"a_wait_seconds_count{status=~"4..|6.."}"#,
        r#"a_wait_seconds_count{status=~"5."}"#,
        r#"a_wait_seconds_count{status="503",route="/b"}"#,
        "sum by (kind) (a_faults_total)",
        "sum by (le) (a_wait_seconds_count)",
        "time() - a_faults_total or sum by (fault) (a_wait_seconds_count)",
    ] {
        assert_eq!(complaints(wrong), 1, "{wrong}");
    }
}
