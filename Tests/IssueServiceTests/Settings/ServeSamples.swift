@testable import IssueService

/// Values of one setting, for tests that go through all of them.
struct SettingSample: Sendable {
  /// Three that differ from the default, where there are so many.
  let good: [String]
  /// In no source.
  let bad: [String]

  init(_ good: [String], bad: [String]) {
    self.good = good
    self.bad = bad
  }

  private static let noText = ["a\u{1B}[31mb", String(repeating: "x", count: 4_097)]
  private static let noDuration = ["5", "s", "-5s", "5 s", "5h", "5.5s", "soon", "9999m"]
  private static func noInteger(_ more: String...) -> [String] {
    ["-1", "+5", "5.5", "0x10", "many", " 5", "99999999999999999999"] + more
  }
  private static func text(_ name: String) -> SettingSample {
    SettingSample(["\(name)1", "\(name)2", "\(name)3"], bad: noText)
  }
  private static func integer(_ good: Int..., bad: String...) -> SettingSample {
    SettingSample(good.map(String.init), bad: noInteger() + bad)
  }
  private static let timeout = SettingSample(["500ms", "7s", "1m"], bad: noDuration + ["0s", "0ms"])
  private static let wait = SettingSample(["500ms", "7s", "1m"], bad: noDuration + ["0s"])
  private static let networks = SettingSample(
    ["10.0.0.0/8", "10.0.0.0/8,fd00::/8", "10.0.0.1/32"],
    bad: ["10.0.0.0/33", "10.0.0.1/8", "fd00::/129", "10.0.0/8", "a/8", "10.0.0.0/8,", "10.0.0.0/-1", "10.0.0.0/"])
  private static let address = SettingSample(
    ["127.0.0.1:1", "[::1]:0", "unix:/run/first-come.sock"], bad: ["nonsense", "127.0.0.1", "127.0.0.1:65536"])

  static let all: [String: SettingSample] = [
    "database": text("data"), "witness": text("witness"), "listen": address, "ops-listen": address,
    "identity": SettingSample(["header", "jwt", "header"], bad: ["Header", "none"]),
    "trusted-proxy": networks,
    "jwt-secret-file": text("secret"), "jwt-jwks-file": text("jwks"), "jwt-issuer": text("issuer"),
    "jwt-audience": text("audience"), "jwt-leeway": SettingSample(["500ms", "7s", "1m"], bad: noDuration + ["301s"]),
    "limit-body": integer(1, 2, 3, bad: "1048577"), "limit-header": integer(128, 200, 300, bad: "127"),
    "limit-header-fields": integer(1, 2, 3, bad: "0"), "limit-header-timeout": timeout, "limit-body-timeout": timeout,
    "limit-idle-timeout": timeout, "limit-answer-timeout": timeout, "limit-connections": integer(1, 2, 3, bad: "0"),
    "limit-claims": integer(5, 6, 7, bad: "0"), "limit-claims-per-user": integer(2, 3, 4, bad: "0"),
    "limit-network-rate": integer(1, 2, 3), "limit-network-burst": integer(1, 2, 3, bad: "0"),
    "listen-backlog": integer(1, 2, 3, bad: "0", "65536"), "listen-accepts": integer(1, 2, 3, bad: "0"),
    "ready-free-space": integer(1, 2, 3),
    "lock-timeout": timeout, "drain-timeout": SettingSample(["0s", "7s", "1m"], bad: noDuration),
    "log-level": SettingSample(["debug", "warning", "critical"], bad: ["INFO", "loud"]),
    "log-format": SettingSample(["json", "text", "json"], bad: ["xml"]), "log-key-file": text("key"),
    "retry-base": wait,
    "webhook-key-file": text("webhook"), "webhook-ca-file": text("authorities"), "webhook-allow": networks,
    "webhook-timeout": SettingSample(["1s", "7s", "1m"], bad: noDuration + ["999ms", "61s"]),
    "webhook-concurrency": integer(1, 2, 3, bad: "0", "257"),
    "retry-cap": wait, "max-attempts": integer(1, 2, 3, bad: "0", "1001"),
    "max-lapses": integer(1, 2, 100, bad: "0", "101"),
  ]
}
