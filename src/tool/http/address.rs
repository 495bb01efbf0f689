//! The address of a service, checked once.

use url::{Host, Url};

/// An `http` or `https` address without anything secret in it: it is shown, hashed and written.
///
/// # Errors
/// If it is no such address. The text itself is not repeated where it may hold a password.
pub fn address(text: &str) -> Result<Url, String> {
    // looked for in the text: what is no address may hold a password all the same
    if text.contains(['@', '?', '#']) {
        return Err("an address with a user, a password or a query, which may be secret".to_owned());
    }
    let url = Url::parse(text).map_err(|e| format!("`{text}`, which is no address: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("`{text}`, expected `http://HOST` or `https://HOST`"));
    }
    Ok(url)
}

/// Whether what is sent there stays on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_secret() {
        for good in ["http://localhost:8000/v1", "https://api.example.org/v1/", "http://[::1]:8080"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for secret in ["http://me:pass@host/v1", "https://host/v1?key=pass", "https://pass@host"] {
            let message = address(secret).unwrap_err();
            assert!(!message.contains("pass@") && !message.contains("key=pass"), "{message}");
        }
        for secret in ["http://me:pa55@host:notaport/v1", "me:pa55@host"] {
            let message = address(secret).unwrap_err();
            assert!(!message.contains("pa55"), "{message}");
        }
        for bad in ["localhost:8000", "host", "", "file:///etc", "ftp://host/v1"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_rest_of_the_world() {
        let stays = |text: &str| is_loopback(&address(text).unwrap());
        assert!(stays("http://localhost:1") && stays("http://127.0.0.9") && stays("http://[::1]/v1"));
        assert!(!stays("http://localhost.example.org") && !stays("http://10.0.0.1"));
    }
}
