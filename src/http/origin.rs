//! Where a request comes from, as far as its browser says.

use actix_web::HttpRequest;

/// Whether a browser says that another site asked for it (W3C, Fetch Metadata Request Headers). A `GET` that writes is refused
/// then: an image or a link elsewhere must not move money.
pub(super) fn is_cross_site(request: &HttpRequest) -> bool {
    let site = request.headers().get("Sec-Fetch-Site");
    site.is_some_and(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"))
}
