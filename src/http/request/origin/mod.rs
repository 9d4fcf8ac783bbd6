//! Who asked for a request, as far as a browser says: what a page of somebody else's may not do.

mod cors;

use std::net::SocketAddr;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};

use self::cors::Cors;
use super::authority::{Authority, Host, Origin, Scheme};

/// What says for which purpose a browser asks: the standard's header, and those that browsers had before.
static PURPOSES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
    HeaderName::from_static("x-purpose"),
];
/// Purposes of which nobody has decided anything yet.
const SPECULATIVE: [&str; 3] = ["prefetch", "prerender", "preview"];
/// Says how the page that asks belongs to this service (W3C, Fetch Metadata Request Headers).
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may ask.
pub(in crate::http) struct Policy {
    scheme: Scheme,
    /// Where the service is, to whom it has no other name.
    listen: SocketAddr,
    /// The hosts that it answers to beside this machine; none where it answers to any.
    hosts: Option<Vec<Host>>,
    /// Whose pages may ask, and read the answers.
    pub(in crate::http) cors: Cors,
}

/// Why a request is refused before anybody looks at what it asks for.
#[derive(Clone, Copy)]
pub(in crate::http) enum Refusal {
    OtherHost,
    Speculative,
    OtherSite,
}

impl Policy {
    /// Whoever reaches a loopback address is on this machine, and a page in its browser can have come under any name
    /// that leads here. Elsewhere the names are not known, unless they are set.
    pub(in crate::http) fn new(
        scheme: Scheme,
        listen: SocketAddr,
        hosts: Vec<Host>,
        readers: Vec<Origin>,
    ) -> Self {
        let is_private = listen.ip().to_canonical().is_loopback();
        let is_checked = is_private || !hosts.is_empty();
        Self {
            scheme,
            listen,
            hosts: is_checked.then_some(hosts),
            cors: Cors::new(readers),
        }
    }

    /// Where a request came to, for its own client to read: never a host that is not expected.
    pub(in crate::http) fn url(&self, request: &HttpRequest) -> String {
        let scheme = self.scheme_of(request).as_str();
        let asked = request.connection_info();
        let authority = Authority::parse(asked.host());
        let authority = authority.filter(|authority| self.expects(authority));
        match authority.filter(|_| names_host(request)) {
            Some(authority) => format!("{scheme}://{authority}"),
            None if self.listen.ip().is_unspecified() => {
                format!("{scheme}://127.0.0.1:{}", self.listen.port())
            }
            None => format!("{scheme}://{}", self.listen),
        }
    }

    /// How a request came: by the service's own TLS, or as a proxy says that it came to it.
    pub(in crate::http) fn scheme_of(&self, request: &HttpRequest) -> Scheme {
        match self.scheme {
            Scheme::Http if request.connection_info().scheme() == "https" => Scheme::Https,
            scheme => scheme,
        }
    }

    /// Whether the service speaks TLS itself.
    pub(in crate::http) fn has_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Why a request is refused, if it is.
    pub(in crate::http) fn refusal(&self, request: &HttpRequest) -> Option<Refusal> {
        if !self.expects_host_of(request) {
            Some(Refusal::OtherHost)
        } else if is_speculative(request.headers()) {
            Some(Refusal::Speculative)
        } else if self.is_of_another_site(request) {
            Some(Refusal::OtherSite)
        } else {
            None
        }
    }

    /// A name that leads here only for now is refused: under it, a page of somebody else's could read what is answered.
    fn expects_host_of(&self, request: &HttpRequest) -> bool {
        // In the request line it counts more than the header does (RFC 9112, section 3.2.2).
        let line = request
            .uri()
            .authority()
            .map(|authority| Ok(authority.as_str()));
        let headers = request.headers().get_all(HOST).map(HeaderValue::to_str);
        let mut named = line.into_iter().chain(headers);
        named.all(|text| {
            let authority = text.ok().and_then(Authority::parse);
            authority.map_or(self.hosts.is_none(), |authority| self.expects(&authority))
        })
    }

    fn expects(&self, authority: &Authority) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        authority.host.is_loopback() || hosts.contains(&authority.host)
    }

    /// An image, a link or a form of another site must not move money. Browsers say nothing of the site if they came by
    /// plain HTTP, but for the machine itself; then the origin tells, which they give with every form. It tells as well
    /// if the site is the same, as another port of this machine is.
    fn is_of_another_site(&self, request: &HttpRequest) -> bool {
        let headers = request.headers();
        if self.cors.allowed(headers).is_some() {
            return false;
        }
        let says =
            |site: &HeaderValue, word: &str| site.as_bytes().eq_ignore_ascii_case(word.as_bytes());
        let sites = || headers.get_all(SITE);
        if sites().any(|site| says(site, "cross-site")) {
            return true;
        }
        let is_own_page = |site| says(site, "same-origin") || says(site, "none");
        if headers.contains_key(SITE) && sites().all(is_own_page) {
            return false;
        }
        if !headers.contains_key(ORIGIN) {
            // An image, say, of another page of the site.
            return sites().any(|site| says(site, "same-site"));
        }
        headers.get_all(ORIGIN).any(|origin| {
            let origin = origin.to_str().ok().and_then(Origin::parse);
            !origin.is_some_and(|origin| self.is_own(&origin, request))
        })
    }

    /// Whether a page comes from where it asks: from the host that is named, or the one that a proxy says was named. No
    /// page of another site can make its browser send the proxy's headers. A page that came without TLS may be anybody's.
    fn is_own(&self, origin: &Origin, request: &HttpRequest) -> bool {
        if self.has_tls() && !origin.is_of(self.scheme) {
            return false;
        }
        let named = request.headers().get(HOST);
        let named = named.and_then(|named| named.to_str().ok());
        let asked = request.connection_info();
        let mut hosts = named.into_iter().chain([asked.host()]);
        hosts.any(|host| Authority::parse(host).is_some_and(|host| origin.is_at(&host)))
    }
}

impl Refusal {
    /// Whether it is refused to read as well, and not only to write.
    pub(in crate::http) fn is_of_reads(self) -> bool {
        match self {
            Self::OtherHost => true,
            Self::Speculative | Self::OtherSite => false,
        }
    }

    pub(in crate::http) fn words(self) -> (StatusCode, &'static str) {
        match self {
            Self::OtherHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "This service does not answer to that Host, see PASSBOOK_HOSTS",
            ),
            Self::Speculative => (
                StatusCode::FORBIDDEN,
                "A browser may not ask for this ahead of time",
            ),
            Self::OtherSite => (StatusCode::FORBIDDEN, "Another site may not ask for this"),
        }
    }
}

/// Whether a browser only guesses that somebody will ask for this.
fn is_speculative(headers: &HeaderMap) -> bool {
    let mut purposes = PURPOSES.iter().flat_map(|name| headers.get_all(name));
    purposes.any(|purpose| {
        let purpose = String::from_utf8_lossy(purpose.as_bytes()).to_ascii_lowercase();
        SPECULATIVE.iter().any(|word| purpose.contains(word))
    })
}

/// Whether a request says to which host it is. In HTTP/2 its line does.
fn names_host(request: &HttpRequest) -> bool {
    request.headers().contains_key(HOST) || request.uri().authority().is_some()
}
