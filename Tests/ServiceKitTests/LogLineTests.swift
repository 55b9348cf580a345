import Composition
import Foundation
import Issuance
import Logging
import ServiceKit
import TestSupport
import Testing

@Suite("No input forges a log line")
struct LogLineTests {
  static let hostile: [String] = [
    "two\nlines", "\r\u{1B}[31mred\u{1B}[0m", "nul\u{0}nul", "\u{7F}\u{9B}31m\u{85}", "line\u{2028}paragraph\u{2029}",
    "\u{202E}txet\u{202C} \u{2066}a\u{2069} \u{200F}", "\"quoted\" \\ {\"level\":\"error\"}", "a=b c=\"d\"", "",
    String(decoding: [0xD800, 0x41, 0xDC00] as [UInt16], as: UTF16.self),
    String(decoding: [0xC0, 0x80, 0xED, 0xA0, 0x80, 0xFF] as [UInt8], as: UTF8.self),
    "\u{FEFF}\u{FFFE}\u{E0041}\u{1D173}\u{10FFFF}", "쿠폰 🎟️ e\u{301}",
    "x\n2026-12-01T09:00:00.000000Z error issue-service: forged",
  ]

  /// 2026-12-01T09:00:00.000123Z.
  static let clock: WallClock = { Timestamp(microseconds: 1_796_115_600_000_123) }

  private func lines(
    _ format: LogFormat, level: Logger.Level = .info, label: String = "test", _ body: (inout Logger) -> Void
  ) throws -> [String] {
    let stream = try Stream.pipe()
    let output = LogOutput(
      LogSettings(level: level, format: format), to: LineWriter(stream.writer), environment: [:], clock: Self.clock)
    var logger = output.makeLogger(label: label)
    body(&logger)
    return stream.lines()
  }

  private func json(_ line: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
  }

  private func isInert(_ line: String) -> Bool {
    line.unicodeScalars.allSatisfy {
      ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
    }
  }

  @Test(arguments: hostile) func jsonHoldsAnyTextAsItWas(text: String) throws {
    let lines = try lines(.json, label: text) { logger in
      logger.notice("\(text)", metadata: ["value": "\(text)", "<\(text)>": "key"], source: text)
    }
    try #require(lines.count == 1)
    #expect(isInert(lines[0]), "\(lines[0])")
    let line = try json(lines[0])
    #expect(line["message"]?.string == text)
    #expect(line["logger"]?.string == text)
    #expect(line["source"]?.string == text)
    #expect(line["metadata"]?["value"]?.string == text)
    #expect(line["metadata"]?["<\(text)>"]?.string == "key")
  }

  @Test(arguments: hostile) func textStaysOneInertLine(text: String) throws {
    let lines = try lines(.text, label: text) { logger in
      logger.notice("\(text)", metadata: ["value": "\(text)", "<\(text)>": "key"], source: text)
    }
    try #require(lines.count == 1)
    #expect(isInert(lines[0]), "\(lines[0])")
    #expect(lines[0].hasPrefix("2026-12-01T09:00:00.000123Z notice "))
  }

  @Test func jsonHasTheNamedMembers() throws {
    let line = try #require(
      try lines(.json) { logger in
        logger[metadataKey: "run"] = "7"
        logger[metadataKey: "seat"] = "0"
        logger.warning(
          "coupons wait", metadata: ["seat": "3", "peer": ["port": "80", "hops": ["a", "b"]], "count": "\(12)"])
      }.first)
    #expect(
      line == """
        {"time":"2026-12-01T09:00:00.000123Z","level":"warning","logger":"test","message":"coupons wait",\
        "metadata":{"count":"12","peer.hops.0":"a","peer.hops.1":"b","peer.port":"80","run":"7","seat":"3"},\
        "source":"ServiceKitTests"}
        """)
  }

  @Test func textNamesTheSameThings() throws {
    let line = try #require(
      try lines(.text) { $0.error("no \u{1B} colour", metadata: ["path": "/a b", "code": "5", "a=b": "\"c\""]) }.first)
    #expect(
      line == #"2026-12-01T09:00:00.000123Z error    test: no \u001b colour "a=b"="\"c\"" code=5 path="/a b" "#
        + "[ServiceKitTests]")
  }

  @Test func anErrorIsNamed() throws {
    struct Broken: Error, CustomStringConvertible { let description = "it broke\nin two" }
    let line = try json(try #require(try lines(.json) { $0.error("stopped", error: Broken()) }.first))
    #expect(line["metadata"]?["error.message"]?.string == "it broke\nin two")
    #expect(line["metadata"]?["error.type"]?.string == "Broken")
  }

  /// What a metadata provider, the logger and the call say: the nearest wins.
  @Test func theNearestMetadataWins() throws {
    let stream = try Stream.pipe()
    let output = LogOutput(LogSettings(format: .json), to: LineWriter(stream.writer), environment: [:])
    var logger = output.makeLogger(label: "test")
    logger.handler.metadataProvider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
    logger[metadataKey: "a"] = "logger"
    logger[metadataKey: "d"] = "logger"
    let other = logger
    logger[metadataKey: "d"] = "changed"
    other.info("first", metadata: ["b": "call"])
    let line = try json(try #require(stream.lines().first))
    let fields = try #require(line["metadata"])
    #expect(fields["a"]?.string == "provider" && fields["b"]?.string == "call")
    #expect(fields["c"]?.string == "provider" && fields["d"]?.string == "logger")
  }

  @Test func levelsBelowTheSetOneAreSilent() throws {
    for level in Logger.Level.allCases {
      let lines = try lines(.json, level: level) { logger in
        for said in Logger.Level.allCases { logger.log(level: said, "said") }
      }
      let said = try lines.map { try #require(try json($0)["level"]?.string) }
      #expect(said == Logger.Level.allCases.filter { $0 >= level }.map(\.rawValue))
    }
  }

  /// A line is one write(2), which a pipe takes as a whole only up to 4,096 bytes.
  @Test(arguments: [LogFormat.json, .text]) func aLongLineIsCutAndSaysSo(format: LogFormat) throws {
    let long = String(repeating: "\u{1B}쿠\"", count: 5_000)
    let lines = try lines(format, label: long) { logger in
      logger.error("\(long)", metadata: ["a": "\(long)"], source: long)
      logger.error(
        "\(long)", metadata: Dictionary(uniqueKeysWithValues: (0..<200).map { ("\($0)\(long)", "\(long)") }),
        source: long)
      logger.error("short")
    }
    try #require(lines.count == 3)
    for line in lines.dropLast() {
      #expect((2_048...4_095).contains(line.utf8.count))
      #expect(format == .text ? line.hasSuffix(" (cut)") : try json(line)["cut"] == .bool(true))
    }
    if format == .json {
      let message = try #require(try json(lines[0])["message"]?.string)
      #expect(message.hasSuffix("…") && long.hasPrefix(message.dropLast()))
    }
  }
}
