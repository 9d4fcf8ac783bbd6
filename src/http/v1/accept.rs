//! Which form of an answer is wanted (RFC 9110, section 12.5.1).

use actix_web::http::header::{ACCEPT, HeaderMap, HeaderValue};

use super::codes::Code;
use super::problem::Problem;

pub(in crate::http) const JSON: &str = "application/json";

/// A media range, and how much it is wanted, in thousandths.
struct Range<'h> {
    media: &'h str,
    quality: u16,
}

/// The form that is wanted most of those there are; of several that are wanted alike, the first.
///
/// # Errors
/// If none of them is wanted.
pub(in crate::http) fn choose(
    headers: &HeaderMap,
    offers: &[&'static str],
) -> Result<&'static str, Problem> {
    let lines: Vec<&str> = headers
        .get_all(ACCEPT)
        .filter_map(|line| HeaderValue::to_str(line).ok())
        .collect();
    let text = lines.join(",").to_ascii_lowercase();
    let ranges: Vec<Range> = text.split(',').filter_map(range).collect();
    let mut best = None;
    for offer in offers {
        let quality = quality(&ranges, offer);
        if best.is_none_or(|(_, most)| most < quality) {
            best = Some((*offer, quality));
        }
    }
    let wanted = best.filter(|(_, quality)| 0 < *quality);
    let refused = || {
        let detail = format!(
            "The answer is {}, which Accept leaves out",
            offers.join(" or ")
        );
        Problem::new(Code::NotAcceptable, detail)
    };
    wanted.map(|(offer, _)| offer).ok_or_else(refused)
}

/// By the range that fits best. Who names no range takes everything.
fn quality(ranges: &[Range], offer: &str) -> u16 {
    if ranges.is_empty() {
        return 1_000;
    }
    let kind = offer.split('/').next().unwrap_or_default();
    let any_of_kind = format!("{kind}/*");
    let mut fitting = [offer, &any_of_kind, "*/*"].into_iter();
    let range = fitting.find_map(|media| ranges.iter().find(|range| range.media == media));
    range.map_or(0, |range| range.quality)
}

/// What is malformed is as good as not there.
fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().filter(|media| media.contains('/'))?;
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    let quality = quality.map_or(Some(1_000), thousandths)?;
    Some(Range { media, quality })
}

/// A weight, from 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let decimals: u16 = format!("{decimals:0<3}")
        .parse()
        .ok()
        .filter(|_| is_plain)?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_str(line).expect("a value"));
        }
        choose(&headers, &["text/plain", "text/html", JSON]).ok()
    }

    #[test]
    fn what_is_wanted_most_is_chosen() {
        for (lines, form) in [
            (&[][..], "text/plain"),
            (&["*/*"], "text/plain"),
            (&[""], "text/plain"),
            (&["nonsense"], "text/plain"),
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
                "text/html",
            ),
            (&["application/json"], JSON),
            (&["Application/JSON; charset=utf-8"], JSON),
            (&["application/*"], JSON),
            (&["text/*;q=0.5, application/json;q=0.501"], JSON),
            (&["text/plain;q=0.1", "text/html;q=0.2"], "text/html"),
            (&["text/plain;q=0, */*"], "text/html"),
            (&["text/*; q=0, */*;q=0.001"], JSON),
        ] {
            assert_eq!(chosen(lines), Some(form), "{lines:?}");
        }
        for lines in [
            &["image/png"][..],
            &["application/problem+json"],
            &["*/*;q=0"],
        ] {
            assert_eq!(chosen(lines), None, "{lines:?}");
        }
        // A weight that is none makes its range none.
        for weight in ["q=1.001", "q=2", "q=0.0001", "q=-1", "q=", "q=.5", "q=+1"] {
            assert_eq!(
                chosen(&[&format!("image/png, text/html;{weight}")]),
                None,
                "{weight}"
            );
        }
    }
}
