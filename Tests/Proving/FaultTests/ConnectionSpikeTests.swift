import Foundation
import TestSupport
import Testing

/// Everybody connects within a second, in a network of the test's own, whose counters tell what the kernel dropped.
@Suite("A spike of connections is answered")
struct ConnectionSpikeTests {
  static let connections = 20_000

  @Test func twentyThousandInASecond() async throws {
    let directory = try ScratchDirectory()
    let database = directory.path("first-come.db")
    let created = try await Program.issueService.run([
      "campaign", "create", "summer", "--quota", "100", "--database", database,
    ])
    #expect(created.status == 0, "\(created.errors)")
    // The queue of the kernel is as long as the service asks for, if the machine lets it.
    let script = "ip link set lo up && echo 65535 > /proc/sys/net/core/somaxconn && exec \"$@\""
    let ended = try await RunningService.run(
      database: database, under: ["/usr/bin/unshare", "--net", "/bin/sh", "-c", script, "sh"]
    ) { service in
      let port = try #require(URL(string: service.claims)?.port)
      let spike = try await Program.system("/usr/bin/nsenter").run([
        "--net=/proc/\(service.processID)/ns/net", Program.path(of: "connection-spike"), "\(port)", "summer",
        "\(Self.connections)", "1000", "120",
      ])
      #expect(spike.status == 0, "\(spike.errors)")
      let counts = Self.counts(in: spike.output)
      // Each hears an answer; nobody waits for one that never comes.
      for word in ["refused", "reset", "closed", "silent"] { #expect(counts[word] == 0, "\(spike.output)") }
      #expect(counts["201"] == 100, "\(spike.output)")
      let answered = ["201", "409", "503"].reduce(0) { $0 + counts[$1, default: 0] }
      #expect(answered == Self.connections, "\(spike.output)")
      // And the kernel dropped none from the queue.
      let dropped = try Self.drops(ofNetworkOf: service.processID)
      #expect(dropped == ["ListenOverflows": 0, "ListenDrops": 0], "\(dropped)")
    }
    #expect(ended.status == 0, "\(ended.errors)")
  }

  /// Lines of a name and a number.
  private static func counts(in text: String) -> [String: Int] {
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2 { counts[String(words[0])] = Int(words[1]) }
    }
    return counts
  }

  private static func drops(ofNetworkOf process: Int32) throws -> [String: Int] {
    let text = try String(contentsOfFile: "/proc/\(process)/net/netstat", encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("TcpExt:") }.map { $0.split(separator: " ") }
    var all: [String: Int] = [:]
    for (name, count) in zip(rows[0], rows[1]) { all[String(name)] = Int(count) }
    return all.filter { ["ListenOverflows", "ListenDrops"].contains($0.key) }
  }
}
