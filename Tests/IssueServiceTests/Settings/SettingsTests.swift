import ArgumentParser
import Foundation
import Logging
import ServiceKit
import TestSupport
import Testing

@testable import IssueService

/// A JSON object with the values of samples, each in the form of its setting.
func settingsJSON(_ texts: [String: String]) -> String {
  let members = texts.map { key, text in
    let value =
      switch ServeCatalogue.all.first(where: { $0.key == key })?.jsonForm {
      case .integer: text
      case .list: "[\(text.listParts.map { "\"\($0)\"" }.joined(separator: ","))]"
      default: "\"\(text)\""
      }
    return "\"\(key)\": \(value)"
  }
  return "{\(members.joined(separator: ",\n"))}"
}

/// The text of a value as a JSON string.
func jsonString(_ text: String) throws -> String { try JSONText.encode(text) }

@Suite("Settings: flags win over the environment, the environment over the file")
struct SettingsTests {
  @Test func theCatalogueIsWhole() throws {
    let keys = ServeCatalogue.all.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(Set(keys) == Set(SettingSample.all.keys))
    for setting in ServeCatalogue.all + [SettingsResolution.file] {
      #expect(setting.key.wholeMatch(of: #/[a-z]+(-[a-z]+)*/#) != nil)
      #expect(setting.flag == "--" + setting.key)
      #expect(setting.environmentName == "FIRST_COME_" + setting.key.uppercased().replacing("-", with: "_"))
      #expect(!setting.summary.isEmpty && !setting.summary.contains("\n") && !setting.expected.isEmpty)
      if let text = setting.defaultText { #expect(setting.accepts(text), "the default of \(setting.key)") }
    }
    #expect(ServeLimits(SettingsResolution(ServeCatalogue.all, flags: [:], environment: [:])) == ServeLimits())
  }

  /// Bit 0: the file, bit 1: the environment, bit 2: the flag.
  @Test(arguments: 0..<8)
  func theFirstSourceThatGivesAValueWins(sources: Int) throws {
    let directory = try ScratchDirectory()
    func texts(_ index: Int) -> [String: String] { SettingSample.all.mapValues { $0.good[index] } }
    var flags: [String] = []
    var environment = ["FIRST_COME_NONSENSE": "", "HOME": "/"]
    let file = try directory.write(settingsJSON(texts(2)), to: "settings.json")
    if sources & 1 != 0 { environment["FIRST_COME_CONFIG"] = file }
    for setting in ServeCatalogue.all {
      // An empty variable counts as unset.
      environment[setting.environmentName] = sources & 2 == 0 ? "" : texts(1)[setting.key]
    }
    if sources & 4 != 0 { flags = texts(0).flatMap { ["--" + $0.key, $0.value] } }
    let resolution = try ServeOptions.parse(flags).resolution(environment: environment)
    #expect(resolution.problems.isEmpty)
    #expect(resolution.warnings.count == 1 && resolution.warnings[0].contains("FIRST_COME_NONSENSE"))
    #expect(resolution.settings.map(\.setting.key) == ["config"] + ServeCatalogue.all.map(\.key))
    for resolved in resolution.settings.dropFirst() {
      let setting = resolved.setting
      let expected: (String?, SettingOrigin) =
        switch sources {
        case 4...: (texts(0)[setting.key], .flag("--" + setting.key))
        case 2...: (texts(1)[setting.key], .environment(setting.environmentName))
        case 1: (texts(2)[setting.key], .file(path: file, key: setting.key))
        default: (setting.defaultText, .default)
        }
      #expect(resolved.text == expected.0, "\(setting.key)")
      #expect(resolved.origin == expected.1, "\(setting.key)")
      #expect(resolution.isGiven(setting) == (sources != 0))
    }
  }

  @Test(arguments: SettingSample.all.keys.sorted())
  func aBadValueIsRefusedWithItsKeyItsSourceAndItsForm(key: String) throws {
    let directory = try ScratchDirectory()
    let setting = try #require(ServeCatalogue.all.first { $0.key == key })
    for bad in try #require(SettingSample.all[key]).bad {
      let json =
        switch setting.jsonForm {
        case .list: "[\(try jsonString(bad))]"
        case .string: try jsonString(bad)
        // What is no number at all has another form in JSON.
        case .integer: bad.wholeMatch(of: #/-?[0-9]+(\.[0-9]+)?/#) == nil ? try jsonString(bad) : bad
        }
      let file = try directory.write("{\"\(key)\": \(json)}", to: "settings.json")
      let variable = setting.environmentName
      let sources: [([String], [String: String], ProgramExit, String)] = [
        (["--\(key)=\(bad)"], [:], .usage, "flag --\(key)"),
        ([], [variable: bad], .configuration, "environment \(variable)"),
        (["--config", file], [:], .configuration, "file \(file), key \(key)"),
      ]
      for (flags, environment, status, origin) in sources {
        let problems = try ServeOptions.parse(flags).resolution(environment: environment).problems
        #expect(problems.map(\.keys) == [[key]], "\(bad)")
        let failure = try #require(problems.first?.failure)
        #expect(failure.status == status && SettingsRefused(problems).status == status)
        #expect(failure.message.contains(key) && failure.reason.hasPrefix(origin + ": "), "\(failure)")
        #expect(failure.reason.contains(setting.expected), "\(failure)")
        #expect(failure.reason.contains(String(bad.prefix(9).filter { $0 != "\u{1B}" }.prefix(1))), "\(failure)")
        #expect(!"\(failure)".contains("\u{1B}"), "a message must not steer a terminal")
        #expect("\(failure)".count < 1_000)
      }
    }
  }

  /// Who overrides a bad value is not stopped by it, but learns of it.
  @Test func aBadValueThatIsOverriddenIsAWarning() throws {
    let resolution = try ServeOptions.parse(["--limit-claims", "7"])
      .resolution(environment: ["FIRST_COME_LIMIT_CLAIMS": "many"])
    #expect(resolution.problems.isEmpty && resolution[ServeCatalogue.claimsInHand] == 7)
    #expect(resolution.warnings.count == 1 && resolution.warnings[0].contains("FIRST_COME_LIMIT_CLAIMS"))
    let other = try ServeOptions.parse(["--limit-claims", "many"])
      .resolution(environment: ["FIRST_COME_LIMIT_CLAIMS": "7"])
    #expect(other.problems.count == 1, "a bad flag must not give way to the environment")
  }

  @Test func eachLimitIsFilledFromItsSetting() throws {
    func fields(_ limits: ServeLimits) -> [String: String] {
      Dictionary(uniqueKeysWithValues: Mirror(reflecting: limits).children.map { ($0.label ?? "", "\($0.value)") })
    }
    let defaults = fields(ServeLimits())
    var filled: [String: String] = [:]
    for (key, sample) in SettingSample.all {
      let resolution = SettingsResolution(ServeCatalogue.all, flags: [key: sample.good[0]], environment: [:])
      for (field, value) in fields(ServeLimits(resolution)) where value != defaults[field] {
        #expect(filled.updateValue(key, forKey: field) == nil, "\(field) follows two settings")
      }
    }
    #expect(
      filled == [
        "bodyBytes": "limit-body", "headerBytes": "limit-header", "headerFields": "limit-header-fields",
        "headerTimeout": "limit-header-timeout", "bodyTimeout": "limit-body-timeout",
        "idleTimeout": "limit-idle-timeout", "answerTimeout": "limit-answer-timeout",
        "connections": "limit-connections", "claimsInHand": "limit-claims",
        "claimsPerUser": "limit-claims-per-user", "requestsPerNetwork": "limit-network-rate",
        "networkBurst": "limit-network-burst", "listenBacklog": "listen-backlog", "acceptsPerTurn": "listen-accepts",
      ])
    #expect(Set(filled.keys) == Set(defaults.keys), "a limit that no setting fills")
  }

  @Test func theGatewaysOfServeAreFilled() throws {
    let settings = try ServeSettings(
      ServeOptions.parse(["--database", "d", "--trusted-proxy", "10.0.0.0/8, fd00::/8"]).resolution(environment: [:]))
    #expect(try settings.identity == .header(trustedProxies: [Network("10.0.0.0/8"), Network("fd00::/8")]))
  }

  @Test func theSettingsOfServeAreFilled() throws {
    let directory = try ScratchDirectory()
    let key = try directory.write("key", to: "key")
    let settings = try ServeSettings(
      ServeOptions.parse([
        "--database", "d", "--witness", "w", "--listen", "0.0.0.0:80", "--ops-listen", "unix:/ops.sock",
        "--identity", "jwt", "--jwt-secret-file", key, "--jwt-issuer", "i", "--jwt-audience", "a", "--jwt-leeway", "2m",
        "--limit-header", "200", "--lock-timeout",
        "250ms", "--drain-timeout", "3s", "--ready-free-space", "5", "--log-level", "debug", "--log-format", "json",
        "--log-key-file", key,
      ]).resolution(environment: [:]))
    #expect(settings.database == "d" && settings.witness == "w")
    #expect(settings.listen == .host("0.0.0.0", port: 80) && settings.opsListen == .unix(path: "/ops.sock"))
    let jwt = JWTSettings(keys: .secret(file: key), issuer: "i", audience: "a", leeway: .seconds(120))
    #expect(settings.identity == .jwt(jwt) && settings.logs.pseudonymKeyFile == key)
    #expect(settings.limits.headerBytes == 200)
    #expect(settings.lockTimeout == .milliseconds(250) && settings.drainTimeout == .seconds(3))
    #expect(settings.readiness == ReadinessLimits(freeBytes: 5, consumerPass: .milliseconds(30_250)))
    #expect(settings.logs.level == .debug && settings.logs.format == .json)
  }

  @Test(arguments: ["0s", "1ms", "999ms", "1s", "90s", "1m", "60m"])
  func aDurationIsWrittenAsItIsTyped(text: String) {
    #expect(Duration(settingText: text)?.settingText == text)
  }

  @Test func aMistypedNameFindsItsOwn() {
    let keys = ServeCatalogue.all.map(\.key)
    for (word, key) in [
      ("limit-header-timeot", "limit-header-timeout"), ("limitHeaderTimeout", "limit-header-timeout"),
      ("limit.header.timeout", "limit-header-timeout"), ("databse", "database"), ("trusted_proxy", "trusted-proxy"),
      ("FIRST_COME_LISTENN", "FIRST_COME_LISTEN"),
    ] {
      #expect(Suggestion.nearest(to: word, among: keys + ["FIRST_COME_LISTEN"]) == key)
    }
    for word in ["", "nonsense", "qqqqqqqqqqqqqqqqqqq", String(repeating: "x", count: 100_000)] {
      #expect(Suggestion.nearest(to: word, among: keys) == nil)
    }
  }

  @Test func theLimitOfOpenFilesIsRaisedToTheHardOne() throws {
    let before = try #require(OpenFileLimit.current())
    let after = try #require(OpenFileLimit.raise())
    #expect(after.soft == after.hard && after.hard == before.hard)
    #expect(OpenFileLimit.current() == after)
  }
}
