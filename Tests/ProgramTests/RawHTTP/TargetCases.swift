/// Request targets (RFC 9112 §3.2, RFC 3986): what is another path must not become this one, and no path may break us.
extension RawHTTPTests {
  static let targetCases: [RawCase] = forms + paths + queries + campaignIDs + userIDs

  private static let forms: [RawCase] = [
    RawCase("absolute form", request("http://first-come\(claims)"), [.accepted]),
    RawCase("absolute form with a port", request("http://first-come:8080\(claims)"), [.accepted]),
    RawCase("absolute form of another host", request("http://other\(claims)"), [.accepted, .malformed, .noResource]),
    RawCase("absolute form with a capital scheme", request("HTTP://first-come\(claims)"), [.accepted, .malformed]),
    RawCase("absolute form of https", request("https://first-come\(claims)"), [.accepted, .malformed, .noResource]),
    RawCase("absolute form of ftp", request("ftp://first-come\(claims)"), [.accepted, .malformed, .noResource]),
    RawCase("absolute form without a path", request("http://first-come"), [.noResource, .malformed]),
    RawCase("absolute form without a host", request("http://\(claims)"), [.malformed, .noResource]),
    RawCase("absolute form with a user", request("http://a:b@first-come\(claims)"), [.accepted, .malformed]),
    RawCase("absolute form and no Host", request("http://first-come\(claims)", host: nil), [.malformed]),
    RawCase("authority form", request("first-come:8080"), [.malformed, .noResource]),
    RawCase("a path without a slash", request("v1/campaigns/raw/claims"), [.malformed, .noResource]),
    RawCase("file:///etc/passwd", request("file:///etc/passwd"), [.malformed, .noResource]),
    RawCase("javascript:alert(1)", request("javascript:alert(1)"), [.malformed, .noResource]),
    RawCase("an empty target", request(""), [.malformed], finishes: true),
    RawCase("a question mark alone", request("?"), [.malformed, .noResource]),
    RawCase("a number sign alone", request("#"), [.malformed, .noResource]),
    RawCase("a target of 7,000 bytes", request("/" + long("a", 7_000)), [.noResource]),
    RawCase("a target of 9,000 bytes", request("/" + long("a", 9_000)), [.headerTooLarge, .malformed]),
    RawCase("a target of 1 MB", request("/" + long("a", 1_000_000)), [.headerTooLarge, .malformed]),
    RawCase("a target of 3,500 segments", request(long("/a", 3_500)), [.noResource]),
  ]

  private static let paths: [RawCase] =
    [
      "/", "/v1", "/v1/campaigns", "/v2/campaigns/raw/claims", "/V1/campaigns/raw/claims", "/v1/Campaigns/raw/claims",
      "/v1/campaigns/raw/Claims", "/v1/campaigns/raw/claim", "/v1/campaigns/raw/claimsx",
      "/v1/campaigns/raw/claims/a/b",
      "/api/v1/campaigns/raw/claims", "/livez", "/readyz", "/metrics", "/problems/x/y", "/openapi.yml",
      "/openapi.yaml.bak",
      "/favicon.ico", "/.git/config", "/etc/passwd", "/%2e%2e/etc/passwd", "/v1/campaigns/raw/claims%00",
      "/v1/campaigns/raw/claims;a=b", "/v1/campaigns/raw/claims%3Fa", "/v1/campaigns/raw/claims%20", "/%",
      "/%zz", "/%2Fv1/campaigns/raw/claims", "/v1%2Fcampaigns%2Fraw%2Fclaims", "/쿠폰", "/%EC%BF%A0", "/\u{E0FF}",
    ].map { RawCase("POST \($0)", request($0), [.noResource, .malformed], .either) }
    // A slash more is nothing that could mean another resource: empty segments may be passed over.
    + [
      "/v1/campaigns/raw/claims/", "//v1/campaigns/raw/claims", "/v1//campaigns/raw/claims",
      "/v1/campaigns/raw//claims",
      "/v1/campaigns/raw/claims//",
    ].map { RawCase("POST \($0)", request($0), [.noResource, .noMethod, .malformed, .accepted], .either) }
    // Dot segments are for the client to take out. Whoever keeps them has another path.
    + [
      "/v1/campaigns/raw/../raw/claims", "/v1/./campaigns/raw/claims", "/v1/campaigns/raw/./claims",
      "/../v1/campaigns/raw/claims", "/v1/campaigns/raw/claims/.", "/v1/campaigns/raw/claims/x/..",
      "/v1/campaigns/raw/%2e/claims",
    ].map { RawCase("POST \($0)", request($0), [.noResource, .noMethod, .malformed], .either) }
    + [
      RawCase("POST with no campaign", request("/v1/campaigns//claims"), [.noResource, .noMethod, .badCampaign]),
      RawCase("'claims' in percents", request("/v1/campaigns/raw/%63laims"), [.accepted, .noResource]),
      RawCase("'v1' in percents", request("/%76%31/campaigns/raw/claims"), [.accepted, .noResource]),
      RawCase("a backslash for a slash", request("/v1\\campaigns\\raw\\claims"), [.noResource, .malformed], .either),
      RawCase("a space in the target", request("/v1/campaigns/r aw/claims"), [.malformed]),
      RawCase("a space at the end of the path", request("\(claims) x"), [.malformed]),
      RawCase("a tab in the target", request("/v1/campaigns/r\taw/claims"), [.malformed]),
      RawCase("a NUL in the target", request("/v1/campaigns/r\u{E000}aw/claims"), [.malformed]),
      RawCase("a CR in the target", request("/v1/campaigns/r\raw/claims"), [.malformed]),
      RawCase("a LF in the target", request("/v1/campaigns/r\naw/claims"), [.malformed]),
      RawCase("a DEL in the target", request("/v1/campaigns/r\u{E07F}aw/claims"), [.malformed, .badCampaign], .either),
    ]

  private static let queries: [RawCase] =
    ["?", "?a", "?a=b", "?a=b&a=c", "?user_id=other", "?a=/../", "?a=?b", "?%00", "?a=%2F", "?a=%EC%BF%A0"].map {
      RawCase("a query \(shown($0))", request(claims + $0), [.accepted])
    }
    + ["?%", "?%zz", "?쿠폰", "?\u{E0FF}", "?a[]=<b>"].map {
      RawCase("a query \(shown($0))", request(claims + $0), [.accepted, .malformed], .either)
    }
    // A fragment is not part of a target; who sends one all the same means this path.
    + ["#", "#a", "?a#b"].map {
      RawCase("a fragment \(shown($0))", request(claims + $0), [.accepted, .malformed, .noResource], .either)
    }
    + ["? a", "?a\u{E000}", "?a\tb"].map {
      RawCase("a query \(shown($0))", request(claims + $0), [.malformed])
    }

  private static let campaignIDs: [RawCase] =
    ["a", "0", "none", "raw-2", "a-", "a--b", long("a", 63)].map {
      RawCase("unknown campaign \(shown($0))", request("/v1/campaigns/\($0)/claims"), [.noCampaign])
    }
    + [
      long("a", 64), long("a", 1_000), "-", "-raw", "Raw", "RAW", "raw_", "raw.", "r~w", "r'w", "r,w", "r:w", "r=w",
      "r@w",
      "r!w", "r$w", "r&w", "r(w)", "r*w", "r+w", "raw;a=b", "raw%3Ba", "raw%20", "%20raw", "raw%2Fclaims", "raw%2f",
      "%2e%2e", "%2E", "..%2f..", "%252e", "%2576aw", "raw%00", "%00", "raw%0d%0a", "raw%09", "raw%7f",
      "%EC%BF%A0%ED%8F%B0",
      "%D7%A9%D7%9D", "%F0%9F%98%80", "%E2%80%AEwar", "raw%EF%BB%BF", "%EF%BD%92aw", "%C4%B1", "%5cx", "%22",
      "%3Craw%3E",
    ].map { RawCase("campaign \(shown($0))", request("/v1/campaigns/\($0)/claims"), [.badCampaign]) }
    // Percents that are none, and bytes that must have been one: either unreadable, or an id that is none.
    + [
      "%", "raw%", "raw%2", "%zz", "raw%zz", "%u0061", "%%", "raw%ff", "%c0%af", "%ed%a0%80", "%f8%88%80%80%80", "쿠폰",
      "שם",
      "😀", "\u{E0FF}", "r\u{E0C0}\u{E0AF}w", "r\"w", "r<w>", "r^w", "r`w", "r{w}", "r|w", "r\\w", "r[w]",
    ].map {
      RawCase(
        "campaign \(shown($0))", request("/v1/campaigns/\($0)/claims"), [.badCampaign, .malformed], .either)
    }
    + [
      // RFC 3986 §6.2.2.2: the same id.
      RawCase("campaign r%61w", request("/v1/campaigns/r%61w/claims"), [.accepted]),
      RawCase("campaign %72%61%77", request("/v1/campaigns/%72%61%77/claims"), [.accepted]),
      RawCase(
        "campaign '..'", request("/v1/campaigns/../claims"), [.badCampaign, .noResource, .noMethod, .malformed], .either
      ),
      RawCase(
        "campaign '.'", request("/v1/campaigns/./claims"), [.badCampaign, .noResource, .noMethod, .malformed], .either),
      RawCase("GET of a bad campaign", request("/v1/campaigns/Raw", method: "GET"), [.badCampaign]),
      RawCase("HEAD of a bad campaign", request("/v1/campaigns/Raw", method: "HEAD"), [.badCampaign]),
    ]

  /// The user in the path, asked for by the same user in the header.
  private static let userIDs: [RawCase] =
    [
      ("a", "a"), ("%61", "a"), ("%2F", "/"), ("a%2Fb", "a/b"), ("%25", "%"), ("%2561", "%61"), ("%3F", "?"),
      ("%23", "#"),
      ("~", "~"), ("!$&'()*+,;=:@", "!$&'()*+,;=:@"), ("%22%3C%3E%5C%5E%60%7B%7C%7D", #""<>\^`{|}"#), ("+", "+"),
      (long("u", 128), long("u", 128)), (long("%2D", 128), long("-", 128)), ("%2e%2e", ".."),
    ].map { path, header in
      RawCase("user \(shown(path)) in the path", asking(path, as: header), [.noClaim])
    }
    + [
      "a%20b", "%20", "%09", "%00", "a%00", "%0d%0a", "%7f", "%EC%BF%A0%ED%8F%B0", "%F0%9F%98%80", "%E2%80%AE",
      "%C2%A0",
      long("u", 129), long("u", 5_000),
    ].map { RawCase("user \(shown($0)) in the path", asking($0, as: "a"), [.badUser]) }
    + ["%", "a%", "%zz", "%ff", "%c0%af", "쿠폰", "שם", "😀", "\u{E0FF}"].map {
      RawCase("user \(shown($0)) in the path", asking($0, as: "a"), [.badUser, .malformed], .either)
    }
    + [
      RawCase("another user in the path", asking("b", as: "a"), [.noClaim]),
      RawCase("another case in the path", asking("A", as: "a"), [.noClaim]),
      RawCase("no user in the header", request("\(claims)/a", method: "GET", user: nil), [.unauthenticated]),
      RawCase("a bad user in the header", asking("a", as: "a b"), [.badUser]),
      RawCase("no user in the path", asking("", as: "a"), [.noResource, .noMethod], .either),
      RawCase("two users in the header", request("\(claims)/a", method: "GET", user: "a", "X-User-Id: a"), [.badUser]),
      RawCase(
        "a user of an unknown campaign", request("/v1/campaigns/none/claims/a", method: "GET", user: "a"), [.noClaim]),
      RawCase(
        "a user of a bad campaign", request("/v1/campaigns/No/claims/a", method: "GET", user: "a"), [.badCampaign]),
    ]

  private static func asking(_ path: String, as user: String) -> String {
    request("\(claims)/\(path)", method: "GET", user: user)
  }
}
