//! Where a request comes from, as far as its browser says.

use actix_web::HttpRequest;
use thiserror::Error;

/// Another site asked for something that writes.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("Another site may not ask for this")]
pub(super) struct CrossSite;

/// Every operation that writes is refused where a browser says that another site asked for it (W3C, Fetch Metadata Request
/// Headers): an image, a link or a form elsewhere must not move money. No site but this one could read the answer anyway.
///
/// # Errors
/// Where another site asked.
pub(super) fn check(request: &HttpRequest) -> Result<(), CrossSite> {
    let site = request.headers().get("Sec-Fetch-Site");
    if site.is_some_and(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
        return Err(CrossSite);
    }
    Ok(())
}
