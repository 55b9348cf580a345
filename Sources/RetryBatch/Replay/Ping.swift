internal import AsyncHTTPClient
internal import Issuance
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceKit

/// Tells a dead man's switch (https://healthchecks.io/docs/http_api/, or one like it) that a run has begun and ended.
///
/// Whether it hears does not change what the run did, nor its exit code: it is a warning.
struct Ping: Sendable {
  enum Moment: Sendable {
    case start
    case ended(ProgramExit, String)
  }

  /// How long one call may take.
  private static let timeout = TimeAmount.seconds(5)
  private static let longestBody = 10_000

  let url: String

  /// Where a moment is told: success is what a timer counts as one, open events included.
  static func address(_ url: String, _ moment: Moment, run: RunID) -> String {
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var path = String(parts[0])
    while path.hasSuffix("/") { path.removeLast() }
    switch moment {
    case .start: path += "/start"
    case .ended(.done, _), .ended(.openEventsRemain, _): break
    case .ended: path += "/fail"
    }
    let query = parts.count == 2 ? "\(parts[1])&" : ""
    return "\(path)?\(query)rid=\(run)"
  }

  func send(_ moment: Moment, run: RunID) async {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    do {
      var request = HTTPClientRequest(url: Self.address(url, moment, run: run))
      request.method = .POST
      request.headers.add(name: "User-Agent", value: "first-come/\(ProgramVersion.number)")
      if case .ended(_, let text) = moment {
        request.body = .bytes(ByteBuffer(string: String(text.prefix(Self.longestBody))))
      }
      let response = try await client.execute(request, timeout: Self.timeout)
      if !(200..<300).contains(response.status.code) {
        printError("warning: the ping was answered with status \(response.status.code)")
      }
    } catch {
      printError("warning: the ping could not be sent: \(error)")
    }
    do {
      try await client.shutdown()
    } catch {
      printError("warning: the ping's connection could not be closed: \(error)")
    }
  }
}
