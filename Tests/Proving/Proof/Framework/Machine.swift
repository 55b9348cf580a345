internal import Foundation
internal import TestSupport

/// Where the proof was made: versions, and what a sync of the disk costs there.
package struct Machine: Sendable {
  package let facts: [(name: String, value: String)]

  /// - Parameter directory: where the syncs are measured.
  package static func here(_ directory: String) async throws -> Machine {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let sync = try syncTimes(in: directory)
    return Machine(facts: [
      ("First Come", firstLine(try await Program.issueService.run(["--version"]).output)),
      ("Swift", firstLine(try await output("/usr/bin/env", "swift", "--version"))),
      ("SQLite", firstLine(try await output("/usr/bin/sqlite3", "--version"))),
      ("kernel", firstLine(try await output("/usr/bin/uname", "-srm"))),
      ("processors", "\(ProcessInfo.processInfo.activeProcessorCount)"),
      ("file system", firstLine(try await output("/usr/bin/stat", "-f", "-c", "%T", directory))),
      ("fdatasync after a write of 4 KiB", "median \(sync.median), 99th of 100 \(sync.high)"),
    ])
  }

  private static func output(_ command: String...) async throws -> String {
    try await Program.system(command[0]).run(Array(command.dropFirst())).output
  }

  private static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }

  private static func syncTimes(in directory: String) throws -> (median: String, high: String) {
    let path = "\(directory)/sync-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    guard let file = FileHandle(forWritingAtPath: path) else { throw CocoaError(.fileWriteUnknown) }
    let block = Data(repeating: 7, count: 4_096)
    let clock = ContinuousClock()
    var times: [Duration] = []
    for _ in 1...200 {
      let start = clock.now
      try file.write(contentsOf: block)
      try file.synchronize()
      times.append(clock.now - start)
    }
    times.sort()
    func shown(_ time: Duration) -> String { "\((time / .microseconds(10)).rounded() / 100) ms" }
    return (shown(times[100]), shown(times[198]))
  }
}
