import Foundation
import TestSupport
import Testing

@Suite("The settings are shown and checked")
struct ConfigCommandTests {
  /// A file of settings that must be refused, and what the message must name.
  static let badFiles: [(String, [String])] = [
    ("", ["not JSON"]), ("nonsense", ["not JSON"]), ("{\"limit-claims\": 5", ["not JSON"]),
    ("{\"limit-claims\": 5,}", ["not JSON", "comma"]), ("{\"trusted-proxy\": [\"10.0.0.0/8\",]}", ["not JSON"]),
    ("[]", ["not a JSON object"]), ("\"text\"", ["not a JSON object"]), ("5", ["not a JSON object"]),
    ("{\"limit-claims\": 5} {}", ["not JSON"]),
    ("{\"limit-claims\": 5, \"limit-claims\": 6}", ["limit-claims", "more than once"]),
    ("{\"limit-claims\": 5, \"limit\\u002dclaims\": 6}", ["limit-claims", "more than once"]),
    ("{\"limit-claim\": 5}", ["limit-claim:", "did you mean limit-claims?"]),
    ("{\"limit\": {\"claims\": 5}}", ["key limit:", "side by side"]), ("{\"config\": \"a\"}", ["key config"]),
    ("{\"limit-claims\": \"5\"}", ["limit-claims", "an integer", "\"5\""]),
    ("{\"limit-claims\": 5.5}", ["limit-claims", "an integer", "5.5"]),
    ("{\"limit-claims\": true}", ["limit-claims", "an integer", "true"]),
    ("{\"limit-claims\": null}", ["limit-claims", "an integer", "null"]),
    ("{\"limit-claims\": 0}", ["limit-claims", "an integer from 1", "'0'"]),
    ("{\"limit-claims\": 1e30}", ["limit-claims", "an integer", "1e30"]),
    ("{\"limit-header-timeout\": 5}", ["limit-header-timeout", "a string", "'5'", "\"5s\""]),
    ("{\"limit-header-timeout\": \"5\"}", ["limit-header-timeout", "500ms, 5s or 1m", "'5'"]),
    ("{\"listen\": [\"127.0.0.1:1\"]}", ["listen", "a string"]),
    ("{\"trusted-proxy\": \"10.0.0.0/8\"}", ["trusted-proxy", "a list of strings"]),
    ("{\"trusted-proxy\": [\"10.0.0.0/8\", 5]}", ["trusted-proxy", "a list of strings"]),
    ("{\"trusted-proxy\": [[\"10.0.0.0/8\"]]}", ["trusted-proxy", "a list of strings"]),
    ("{\"trusted-proxy\": [\"10.0.0.0/99\"]}", ["trusted-proxy", "10.0.0.0/99"]),
  ]

  @Test(arguments: badFiles.indices)
  func aBadFileIsRefused(index: Int) async throws {
    let (json, message) = Self.badFiles[index]
    let directory = try ScratchDirectory()
    let file = try directory.write(json, to: "settings.json")
    for command in [["config", "check"], ["config", "show"], ["serve"]] {
      let result = try await Program.issueService.run(
        command + ["--config", file], environment: ["FIRST_COME_DATABASE": directory.path("first-come.db")])
      // Else serve, which comes last, would begin to serve.
      try #require(result.status == 78, "\(command): \(result.errors)")
      #expect(result.output.isEmpty && result.errors.contains(file))
      for part in message { #expect(result.errors.contains(part), "\(result.errors)") }
    }
    #expect(try directory.names() == ["settings.json"], "nothing is created")
  }

  @Test func aFileThatIsNotThereIsRefused() async throws {
    let directory = try ScratchDirectory()
    let bytes = directory.url.appendingPathComponent("latin.json")
    try Data([0x7B, 0x22, 0xE4, 0x22, 0x7D]).write(to: bytes)
    let large = try directory.write("{}" + String(repeating: " ", count: 1 << 20), to: "large.json")
    for (path, why) in [
      (directory.path("missing.json"), "does not exist"), (directory.url.path, "not a regular file"),
      ("/dev/null", "not a regular file"), (bytes.path, "UTF-8"), (large, "1 MiB"),
    ] {
      for (flags, environment) in [(["--config", path], [:]), ([], ["FIRST_COME_CONFIG": path])] {
        let result = try await Program.issueService.run(["config", "show"] + flags, environment: environment)
        #expect(result.status == 78 && result.errors.contains(path) && result.errors.contains(why), "\(result.errors)")
      }
    }
  }

  @Test func theTableSaysWhatHoldsAndFromWhere() async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write(
      "\u{FEFF}{\"limit-claims\": 7, \"limit-body\": 8, \"lock-timeout\": \"300ms\", \"listen\": \"unix:/l\"}",
      to: "settings.json")
    let result = try await Program.issueService.run(
      ["config", "show", "--limit-claims", "5"],
      environment: [
        "FIRST_COME_CONFIG": file, "FIRST_COME_LIMIT_BODY": "6", "FIRST_COME_LIMIT_HEADER": "",
        "FIRST_COME_LIMIT_CLAIM": "1",
      ])
    #expect(result.status == 0)
    let rows = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    for row in [
      ["KEY", "VALUE", "FROM"], ["config", file, "environment"], ["database", "-", "default"],
      ["limit-claims", "5", "flag"], ["limit-body", "6", "environment"], ["lock-timeout", "300ms", "file"],
      ["listen", "unix:/l", "file"], ["limit-header", "8192", "default"], ["drain-timeout", "10s", "default"],
    ] {
      #expect(rows.contains(row), "\(result.output)")
    }
    #expect(result.errors.contains("warning") && result.errors.contains("did you mean FIRST_COME_LIMIT_CLAIMS?"))
  }

  @Test func theJSONIsAContract() async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write(
      "{\"limit-claims\": 7, \"trusted-proxy\": [\"10.0.0.0/8\", \"fd00::/8\"]}", to: "settings.json")
    let result = try await Program.issueService.run(
      ["config", "show", "--json", "--config", file, "--drain-timeout", "3s"],
      environment: ["FIRST_COME_LISTEN": "[::1]:0"])
    #expect(result.status == 0 && result.errors.isEmpty)
    let json = try result.json()
    #expect(json.keys == ["schema_version", "settings"] && json["schema_version"]?.int == 1)
    let settings = json["settings"]?.array ?? []
    #expect(settings.allSatisfy { $0.keys == ["key", "value", "source", "name"] })
    func setting(_ key: String) -> JSONValue? { settings.first { $0["key"]?.string == key } }
    func expect(_ key: String, _ value: JSONValue, _ source: String, _ name: String?) {
      #expect(setting(key)?["value"] == value, "\(key)")
      #expect(setting(key)?["source"]?.string == source && setting(key)?["name"]?.string == name, "\(key)")
    }
    expect("config", .string(file), "flag", "--config")
    expect("drain-timeout", .string("3s"), "flag", "--drain-timeout")
    expect("listen", .string("[::1]:0"), "environment", "FIRST_COME_LISTEN")
    expect("limit-claims", .number(7), "file", file)
    expect("trusted-proxy", .array([.string("10.0.0.0/8"), .string("fd00::/8")]), "file", file)
    expect("limit-body", .number(4_096), "default", nil)
    expect("identity", .null, "default", nil)
  }

  @Test func checkSaysAllThatIsWrong() async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write("{\"limit-boddy\": 5, \"log-level\": \"loud\"}", to: "settings.json")
    let flags = ["--config", file, "--limit-claims", "0", "--ops-listen", "10.0.0.1:80", "--database", "d"]
    let environment = ["FIRST_COME_LOCK_TIMEOUT": "soon"]
    for command in [["config", "check"], ["serve"]] {
      let result = try await Program.issueService.run(command + flags, environment: environment)
      try #require(result.status == 78 && result.output.isEmpty)
      #expect(result.errors.split(separator: "\n").count { $0.hasPrefix("error: ") } == 5, "\(result.errors)")
      for part in [
        "limit-boddy", "did you mean limit-body?", "file \(file), key log-level", "flag --limit-claims",
        "environment FIRST_COME_LOCK_TIMEOUT", "'10.0.0.1:80'",
      ] {
        #expect(result.errors.contains(part), "\(result.errors)")
      }
    }
    let shown = try await Program.issueService.run(["config", "show"] + flags, environment: environment)
    #expect(shown.status == 78 && shown.output.isEmpty && shown.errors.contains("FIRST_COME_LOCK_TIMEOUT"))
  }

  @Test func onlyBadFlagsAreAUsageError() async throws {
    for command in [["config", "check"], ["config", "show"], ["serve"]] {
      let result = try await Program.issueService.run(
        command + ["--database", "d", "--limit-claims", "many", "--lock-timeout", "5"])
      try #require(result.status == 64 && result.output.isEmpty)
      #expect(result.errors.contains("flag --limit-claims") && result.errors.contains("flag --lock-timeout"))
    }
  }

  @Test func soundSettingsAreOK() async throws {
    let directory = try ScratchDirectory()
    let file = try directory.write("{\"database\": \"d.db\"}", to: "settings.json")
    let result = try await Program.issueService.run(["config", "check", "--config", file], in: directory.url.path)
    #expect(result.status == 0 && result.output == "configuration ok\n", "\(result.errors)")
    #expect(try directory.names() == ["settings.json"])
    let unnamed = try await Program.issueService.run(["config", "check"])
    #expect(unnamed.status == 64 && unnamed.errors.contains("FIRST_COME_DATABASE"))
  }

  /// The file is one for serve and config: the others take flag and environment alone.
  @Test func otherCommandsRefuseABadVariableToo() async throws {
    let long = String(repeating: "x", count: 5_000)
    for (status, flags, environment) in [
      (Int32(64), ["--database", long], [:]), (78, [], ["FIRST_COME_DATABASE": long]),
      (64, [], ["FIRST_COME_CONFIG": "/no/such/file"]),
    ] {
      let result = try await Program.issueService.run(["campaign", "list"] + flags, environment: environment)
      #expect(result.status == status, "\(result.errors)")
    }
  }
}

@Suite("serve takes its settings from the file")
struct ServeSettingsTests {
  @Test func theListenersAreThoseOfTheFile() async throws {
    let directory = try ScratchDirectory()
    let socket = "/tmp/first-come-\(UUID().uuidString).sock"
    defer { try? FileManager.default.removeItem(atPath: socket) }
    let file = try directory.write(
      """
      {"database": "\(directory.path("first-come.db"))", "listen": "unix:\(socket)", "ops-listen": "127.0.0.1:0"}
      """, to: "settings.json")
    let line = try await RunningProgram.run("issue-service", ["serve", "--config", file]) { try await $0.nextLine() }
    #expect(line?.hasPrefix("claims on unix:\(socket), operations on http://127.0.0.1:") == true, "\(line ?? "")")
  }

  /// Another command gives up after its 5 s meanwhile.
  @Test func theLockIsWaitedForAsLongAsSaid() async throws {
    let directory = try ScratchDirectory()
    let database = try await makeCampaign(in: directory)
    let lock = try #require(HeldLock(database + ".write-lock"))
    let flags = ["--database", database, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]
    let line = try await RunningProgram.run("issue-service", ["serve", "--lock-timeout", "10m"] + flags) { service in
      for _ in 1...2 {
        let other = try await Program.issueService.run(["campaign", "pause", "summer", "--database", database])
        #expect(other.status == 75)
      }
      lock.giveBack()
      return try await service.nextLine()
    }
    #expect(line?.hasPrefix("claims on http://127.0.0.1:") == true, "\(line ?? "it gave up")")
    let short = try #require(HeldLock(database + ".write-lock"))
    let other = try await Program.issueService.run(["serve", "--lock-timeout", "10ms"] + flags)
    #expect(other.status == 75, "\(other.errors)")
    short.giveBack()
  }
}
