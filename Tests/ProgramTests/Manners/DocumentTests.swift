import Foundation
import TestSupport
import Testing

/// Every link, flag, file and symbol that a document names exists.
@Suite("The documents name only what exists")
struct DocumentTests {
  private static let root = ProjectRoot.url
  /// Names in documents that are not ours, such as directives of systemd.
  private static let foreign: Set<String> = [
    "DynamicUser", "ExecStart", "OnCalendar", "ProtectHome", "ReadWritePaths", "RuntimeDirectory", "SyslogLevelPrefix",
    "WatchdogSec",
  ]

  private static func documents() throws -> [String] {
    let pages = try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("docs").path)
    return [
      "README.md", "README.ko.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "packaging/README.md", "Benchmarks/README.md",
    ]
      + pages.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
  }

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  /// The text of every file below a directory whose name ends with one of the suffixes, and the names of all folders.
  private static func tree(_ directory: String, suffixes: [String]) throws -> String {
    let names = try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(directory).path)
    let files = try names.filter { name in
      let values = try root.appendingPathComponent("\(directory)/\(name)").resourceValues(forKeys: [.isRegularFileKey])
      return values.isRegularFile == true && suffixes.contains { name.hasSuffix($0) }
    }
    let folders = names.flatMap { $0.split(separator: "/").dropLast().map(String.init) }
    return try files.map { try text("\(directory)/\($0)") }.joined(separator: "\n") + folders.joined(separator: "\n")
      + "\n" + directory
  }

  /// The code spans of a page outside its code blocks.
  private static func spans(_ page: String) -> [String] {
    var isInside = false
    return page.split(separator: "\n").flatMap { line -> [String] in
      if line.hasPrefix("```") { isInside.toggle() }
      return isInside ? [] : line.matches(of: #/`([^`]+)`/#).map { String($0.1) }
    }
  }

  private static func anchors(_ page: String) -> Set<String> {
    Set(
      page.matches(of: #/(?m)^#+ (.*)$/#).map { match in
        String(match.1.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" })
          .replacing(" ", with: "-")
      })
  }

  @Test(arguments: try DocumentTests.documents()) func linksLeadSomewhere(document: String) throws {
    let page = try Self.text(document)
    for match in page.matches(of: #/\]\(([^)]+)\)/#) where !match.1.hasPrefix("http") {
      let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let folder = URL(fileURLWithPath: document).relativePath.split(separator: "/").dropLast().joined(separator: "/")
      let path = parts[0].isEmpty ? document : URL(fileURLWithPath: "/\(folder)/\(parts[0])").standardized.path
      #expect(Self.exists(path), "\(document): \(match.1)")
      guard parts.count == 2, path.hasSuffix(".md") else { continue }
      #expect(Self.anchors(try Self.text(path)).contains(parts[1]), "\(document): \(match.1)")
    }
  }

  @Test func flagsAreThoseOfThePrograms() async throws {
    let known = Set(try await BuiltCommand.all().flatMap(\.longOptions)).union(["help", "version"])
    let scripts = try Self.tree("scripts", suffixes: [""])
    for document in try Self.documents() {
      for span in Self.spans(try Self.text(document)) {
        for flag in span.matches(of: #/(?:^|[^\w-])--([a-z][a-z0-9-]+)/#).map({ String($0.1) })
        where !flag.hasSuffix("-") {
          #expect(known.contains(flag) || scripts.contains("--\(flag)"), "\(document): \(span)")
        }
      }
    }
  }

  @Test func filesAndSymbolsExist() throws {
    let code = try ["Sources", "Tests", "Benchmarks"].map { try Self.tree($0, suffixes: [".swift"]) }.joined()
    let words = Set(code.matches(of: #/\w+/#).map { String($0.0) })
    for document in try Self.documents() {
      for span in Self.spans(try Self.text(document)) {
        let paths = span.matches(of: #/\b(?:Sources|Tests|scripts|docs|packaging|migrations|Benchmarks)\/[\w.\/+-]+/#)
        for path in paths.map({ String($0.0) }) {
          let name = path.hasSuffix(".") ? String(path.dropLast()) : path
          #expect(Self.exists(name) || Self.exists(name + ".swift"), "\(document): \(span)")
        }
        for symbol in span.matches(of: #/\b[A-Z][a-z]+(?:[A-Z]\w*)+\b/#).map({ String($0.0) }) {
          #expect(words.contains(symbol) || Self.foreign.contains(symbol), "\(document): \(span)")
        }
      }
    }
  }
}
