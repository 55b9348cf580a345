import ArgumentParser
import Composition
import Foundation
import ServiceKit
import TestSupport
import Testing

@testable import IssueService

@Suite("Settings are checked against each other")
struct SettingsReviewTests {
  private func review(_ flags: String...) throws -> ServeSettings.Validation {
    ServeSettings.validation(of: try ServeOptions.parse(flags).resolution(environment: [:]))
  }

  private func problems(_ flags: String...) throws -> [[String]] {
    ServeSettings.validation(of: try ServeOptions.parse(["--database", "d"] + flags).resolution(environment: [:]))
      .problems
      .map(\.keys)
  }

  @Test func theDefaultsAreSound() throws {
    #expect(try problems().isEmpty)
    #expect(try problems("--listen", "unix:/a", "--ops-listen", "unix:/b").isEmpty)
    #expect(try problems("--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0").isEmpty)
    #expect(try problems("--limit-network-rate", "5", "--limit-network-burst", "5").isEmpty)
  }

  @Test func aDatabaseMustBeNamed() throws {
    let review = try review()
    #expect(review.problems.map(\.keys) == [["database"]])
    #expect(SettingsRefused(review.problems).status == .usage)
  }

  @Test(arguments: ["0.0.0.0:80", "[::]:80", "example.com:80"])
  func otherMachinesNeedAnIdentity(address: String) throws {
    #expect(try problems("--listen", address) == [Self.users])
    #expect(try problems("--listen", address, "--identity", "header") == [Self.users])
    #expect(try problems("--listen", address, "--identity", "header", "--trusted-proxy", "10.0.0.7").isEmpty)
    #expect(try problems("--listen", address, "--identity", "jwt", "--jwt-secret-file", "/etc/hostname").isEmpty)
    #expect(try problems("--ops-listen", address) == [["ops-listen"]])
  }

  /// What says, together, how users are known.
  static let users = [
    "listen", "identity", "trusted-proxy", "jwt-secret-file", "jwt-jwks-file", "jwt-issuer", "jwt-audience",
    "jwt-leeway",
  ]

  @Test func contradictionsAreRefused() throws {
    #expect(try problems("--listen", "127.0.0.1:80", "--ops-listen", "127.0.0.1:80") == [["listen", "ops-listen"]])
    #expect(try problems("--identity", "jwt") == [Self.users])
    #expect(try problems("--jwt-issuer", "i") == [Self.users])
    #expect(try problems("--limit-network-burst", "5") == [["limit-network-rate", "limit-network-burst"]])
    #expect(
      try problems("--limit-claims", "2", "--limit-claims-per-user", "3") == [
        ["limit-claims-per-user", "limit-claims"]
      ])
  }

  @Test(arguments: ["jwt-secret-file", "jwt-jwks-file", "log-key-file", "webhook-key-file", "webhook-ca-file"])
  func filesMustBeReadable(key: String) throws {
    let identity = key.hasPrefix("jwt") ? "jwt" : "header"
    let directory = try ScratchDirectory()
    for path in [directory.path("missing"), directory.url.path, "/dev/null"] {
      #expect(try problems("--identity", identity, "--\(key)", path) == [[key]])
    }
    #expect(try problems("--identity", identity, "--\(key)", directory.write("x", to: "file")).isEmpty)
  }

  @Test func whatHasNoEffectIsAWarning() throws {
    let many = try review("--database", "d", "--limit-connections", "1000000")
    let hard = try #require(OpenFileLimit.current()?.hard)
    #expect(many.warnings.contains { $0.contains("limit-connections") } == (hard < 1_004_096))
    let queue = try review("--database", "d", "--listen-backlog", "65535")
    let longest = try #require(
      Int(String(contentsOfFile: "/proc/sys/net/core/somaxconn", encoding: .utf8).filter(\.isNumber)))
    #expect(queue.warnings.contains { $0.contains("net.core.somaxconn") } == (longest < 65_535))
    #expect(try !review("--database", "d", "--listen-backlog", "1").warnings.contains { $0.contains("somaxconn") })
    #expect(try !review("--database", "d", "--limit-connections", "1").warnings.contains { $0.contains("ulimit") })
  }

  /// What is said of a value that was refused would be said of the default, which nobody asked for.
  @Test func aBadValueIsNotCheckedFurther() throws {
    #expect(try problems("--limit-network-rate", "many", "--limit-network-burst", "5") == [["limit-network-rate"]])
    #expect(try problems("--config", "/no/such/file", "--limit-network-burst", "5") == [["config"]])
  }
}

@Suite("Settings are shown, secrets are not")
struct SettingsReportTests {
  private static let secret = Setting<Int?>(
    "hush", "a secret", SettingType<Int>.integer(1...9_999, "steps").optional, default: nil, isSecret: true)
  private static let secretWithDefault = Setting(
    "quiet", "a secret", .integer(1...9_999, "steps"), default: 4_711, isSecret: true)

  @Test func aSecretIsMasked() throws {
    let resolution = SettingsResolution(
      [Self.secret, Self.secretWithDefault], flags: ["hush": "1234"], environment: [:])
    #expect(resolution[Self.secret] == 1_234)
    let report = SettingsReport(resolution)
    for text in [report.table(width: nil), report.table(width: 80), try report.json()] {
      #expect(text.contains("***") && !text.contains("1234") && !text.contains("4711"), "\(text)")
    }
  }

  @Test(arguments: ["{\"hush\": 98765}", "{\"hush\": \"98765\"}", "{\"hush\": 98765.5}"])
  func aBadSecretIsMaskedToo(json: String) throws {
    let directory = try ScratchDirectory()
    let file = try directory.write(json, to: "settings.json")
    let catalogue: [any SettingDeclaration] = [Self.secret, Self.secretWithDefault]
    for resolution in [
      SettingsResolution(catalogue, flags: ["config": file], environment: [:], readsFile: true),
      SettingsResolution(catalogue, flags: ["hush": "98765", "quiet": "98765"], environment: [:]),
      SettingsResolution(catalogue, flags: ["hush": "1"], environment: ["FIRST_COME_HUSH": "98765"]),
    ] {
      let words = resolution.problems.map { "\($0.failure)" } + resolution.warnings
      #expect(!words.isEmpty)
      #expect(words.allSatisfy { $0.contains("***") && !$0.contains("98765") && !$0.contains("4711") }, "\(words)")
    }
  }

  @Test func aLongValueWrapsOnATerminalOnly() throws {
    let path = "/" + (0..<300).map { String($0) }.joined()
    let report = SettingsReport(try ServeOptions.parse(["--database", path]).resolution(environment: [:]))
    #expect(report.table(width: nil).contains(path))
    let narrow = report.table(width: 80).split(separator: "\n")
    #expect(narrow.allSatisfy { $0.count <= 80 })
    let cell = narrow.drop { !$0.hasPrefix("database") }.prefix { !$0.hasPrefix("witness") }
    #expect(cell.map { $0.split(separator: " ").first { $0 != "database" } ?? "" }.joined() == path)
  }

  @Test func theTableOfTheManualIsTheCatalogue() throws {
    let manual = try manualPage("docs/settings.md")
    let section = manual.split(separator: "\n## ").first
    let rows = try #require(section).split(separator: "\n").filter { $0.hasPrefix("| `--") }.map(String.init)
    let expected = ([SettingsResolution.file] as [any SettingDeclaration] + ServeCatalogue.all).map { setting in
      "| `\(setting.flag) \(setting.placeholder)` | `\(setting.environmentName)` | "
        + "\(setting.defaultText.map { "`\($0)`" } ?? "none") | \(setting.summary): \(setting.expected) |"
    }
    #expect(rows == expected, "the table must be:\n\(expected.joined(separator: "\n"))")
  }
}
