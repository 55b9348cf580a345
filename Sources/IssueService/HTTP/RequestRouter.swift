internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import ServiceKit
internal import Synchronization

/// What a listener has to ask for. Each has one address, and says which methods it answers and in what form.
protocol Route: Sendable {
  /// - Parameter segments: the decoded segments of an absolute path.
  init?(segments: [String])
  /// As the field `Allow` lists them.
  var allowedMethods: [String] { get }
  /// Of its answer, besides problem documents.
  var mediaType: MediaType { get }
}

/// A request, whom it comes from, and what names it in answers and logs.
struct RequestState: Sendable {
  let request: Request
  let peer: Peer
  let id: String
}

/// The API behind a listener: which requests it admits, and the content of its resources.
protocol RouteHandler: Sendable {
  associatedtype Resource: Route

  /// Checks a request before its resource is looked up.
  ///
  /// - Throws: the ``Problem`` that a request from this peer is rejected with.
  func admit(_ request: Request, from peer: Peer) throws(Problem)

  /// Answers a request. A refusal is an answer: ``RouteAnswer/problem(_:)``.
  ///
  /// - Throws: a ``Problem`` for a request that cannot be answered, or what went wrong.
  func answer(_ resource: Resource, _ exchange: RequestState) async throws -> RouteAnswer
}

enum RouteAnswer: Sendable {
  case content(Response)
  case problem(Problem)
}

/// Answers the requests of a connection.
protocol RequestAnswering: Sendable {
  func answer(_ request: Request, from peer: Peer) async -> Response
}

/// Finds the resource of a request, asks its handler for the answer, and turns every problem and error into its problem
/// document.
struct RequestRouter<Handler: RouteHandler>: RequestAnswering {
  let handler: Handler
  let problems: ProblemCounts
  let logger: Logger

  func answer(_ request: Request, from peer: Peer) async -> Response {
    let exchange = RequestState(request: request, peer: peer, id: RequestID.of(request.headers[values: .requestID]))
    do {
      try handler.admit(request, from: peer)
      var response = try await respond(to: exchange)
      response.headers[.requestID] = exchange.id
      return response
    } catch {
      return answer(error, to: exchange)
    }
  }

  private func respond(to exchange: RequestState) async throws -> Response {
    let request = exchange.request
    guard let target = RequestTarget(request.head.path ?? "") else {
      throw Problem.malformedRequest("The target of the request is not one.")
    }
    guard case .path(let segments) = target else {
      guard request.method == .options else { throw Problem.noSuchResource }
      return options(["GET", "HEAD", "OPTIONS", "POST"])
    }
    guard let resource = Handler.Resource(segments: segments) else { throw Problem.noSuchResource }
    guard resource.allowedMethods.contains(request.method.rawValue) else {
      throw Problem.methodNotAllowed(resource.allowedMethods)
    }
    if request.method == .options { return options(resource.allowedMethods) }
    guard resource.mediaType.isAccepted(by: request.headers[values: .accept]) else {
      throw Problem(.notAcceptable, "The answer is \(resource.mediaType.rawValue), which the field Accept excludes.")
    }
    switch try await handler.answer(resource, exchange) {
    case .content(let response): return request.method == .head ? response.createHeadResponse() : response
    case .problem(let problem): return document(problem, of: exchange)
    }
  }

  private func options(_ methods: [String]) -> Response {
    var response = Response(
      status: .noContent, headers: [.allow: methods.joined(separator: ", "), .cacheControl: "no-store"])
    response.headers[.contentLength] = nil
    return response
  }

  private func answer(_ error: any Error, to exchange: RequestState) -> Response {
    let problem: Problem
    switch error {
    case let error as Problem: problem = error
    case let error as StoreError:
      logger.error(
        "\(error)", metadata: ["outcome": "\(error.outcome.rawValue)", "request_id": "\(exchange.id)"])
      problem = Problem(error)
    default:
      logger.error("a request failed: \(type(of: error))", metadata: ["request_id": "\(exchange.id)"])
      problem = .failed
    }
    return document(problem, of: exchange)
  }

  private func document(_ problem: Problem, of exchange: RequestState) -> Response {
    problems.count(problem.kind)
    let response = (try? problem.response(requestID: exchange.id)) ?? Response(status: .internalServerError)
    return exchange.request.method == .head ? response.createHeadResponse() : response
  }
}

/// The target of a request line (RFC 9112, section 3.2).
package enum RequestTarget: Equatable, Sendable {
  case asterisk
  /// The decoded segments of the path. Empty and dot segments stay as they are: nothing is normalised, so that there is
  /// one way to name a thing.
  case path([String])

  /// Reads the origin form, the absolute form and the asterisk form; what follows a `?` is ignored.
  ///
  /// - Returns: `nil` for any other form, for a byte that a target cannot hold, and for a bad percent-encoding.
  package init?(_ text: String) {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else { return nil }
    if text == "*" {
      self = .asterisk
      return
    }
    var path = text.utf8.prefix { $0 != UInt8(ascii: "?") }
    if path.first != UInt8(ascii: "/") {
      guard let start = Self.pathOfAbsoluteForm(path) else { return nil }
      path = start
    }
    var segments: [String] = []
    for segment in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard let decoded = Self.percentDecoded(segment) else { return nil }
      segments.append(decoded)
    }
    self = .path(segments)
  }

  private static func pathOfAbsoluteForm(_ target: Substring.UTF8View) -> Substring.UTF8View? {
    let text = Substring(target)
    for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
      let authority = text.dropFirst(scheme.count)
      guard let slash = authority.firstIndex(of: "/"), slash != authority.startIndex else { return nil }
      return authority[slash...].utf8
    }
    return nil
  }

  private static func percentDecoded(_ segment: Substring.UTF8View) -> String? {
    guard segment.contains(UInt8(ascii: "%")) else { return String(Substring(segment)) }
    var bytes: [UInt8] = []
    var rest = segment[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(Self.hexadecimal), let low = rest.popFirst().flatMap(Self.hexadecimal)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8? {
    Character(UnicodeScalar(digit)).hexDigitValue.map(UInt8.init)
  }
}

/// What bodies are, and whether a client takes or sends them.
package enum MediaType: String, Sendable, CaseIterable {
  case json = "application/json"
  case yaml = "application/yaml"
  case markdown = "text/markdown"
  case html = "text/html"
  case eventStream = "text/event-stream"
  case metrics = "text/plain"

  /// The value of the field Content-Type.
  var contentType: String {
    switch self {
    case .json, .yaml, .eventStream: rawValue
    case .markdown, .html: "\(rawValue); charset=utf-8"
    case .metrics: MetricsRegistry.contentType
    }
  }

  /// Whether it is acceptable by the values of the field Accept (RFC 9110, section 12.5.1): the most specific range
  /// that matches decides. No field accepts everything, and so does an empty one.
  package func isAccepted(by fields: [String]) -> Bool {
    let ranges = fields.joined(separator: ",").split(separator: ",").compactMap { AcceptRange($0) }
    guard !ranges.isEmpty else { return fields.allSatisfy { $0.allSatisfy { $0.isWhitespace || $0 == "," } } }
    let type = rawValue.prefix { $0 != "/" }
    let matches = ranges.filter { $0.name == rawValue || $0.name == "\(type)/*" || $0.name == "*/*" }
    return matches.max { $0.precision(of: rawValue) < $1.precision(of: rawValue) }.map { $0.weight > 0 } ?? false
  }

  /// Whether the value of a field Content-Type names it, with whatever parameters.
  package func isNamed(by field: String) -> Bool {
    let name = field.prefix { $0 != ";" }
    return name.trimmed.lowercased() == rawValue
  }
}

/// One range of the field Accept.
private struct AcceptRange {
  let name: String
  let weight: Double

  init?(_ text: Substring) {
    var parts = text.split(separator: ";")[...]
    guard let name = parts.popFirst()?.trimmed.lowercased(), name.contains("/") else { return nil }
    self.name = name
    let quality = parts.lazy.map { $0.trimmed.lowercased() }.first { $0.hasPrefix("q=") }
    weight = quality.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
  }

  func precision(of type: String) -> Int { name == type ? 2 : name == "*/*" ? 0 : 1 }
}

extension StringProtocol {
  fileprivate var trimmed: String {
    String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }
}

/// What names a request in answers and logs.
package enum RequestID {
  /// The client's own, where it is 1 to 128 of A-Z, a-z, 0-9, `.`, `_` and `-`; else a new one.
  package static func of(_ fields: [String]) -> String {
    guard fields.count == 1, isWellFormed(fields[0]) else { return new() }
    return fields[0]
  }

  static func new() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func isWellFormed(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}

/// The value of the field Date (RFC 9110, section 5.6.7), made once a second.
final class HTTPDate: Sendable {
  private let clock: WallClock
  private let latest = Mutex((second: Int64.min, text: ""))

  init(clock: @escaping WallClock) { self.clock = clock }

  var text: String {
    let second = max(0, clock().microseconds / 1_000_000)
    return latest.withLock { latest in
      if latest.second != second { latest = (second, Self.text(ofSecond: second)) }
      return latest.text
    }
  }

  /// - Parameter second: since 1970-01-01T00:00:00Z; not before it.
  static func text(ofSecond second: Int64) -> String {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    // YYYY-MM-DDThh:mm:ss, and more
    let text = "\(Timestamp(microseconds: second * 1_000_000))"
    let date = text.prefix(10).split(separator: "-")
    let month = names[(Int(date[1]) ?? 1) - 1]
    // 1970-01-01 was a Thursday.
    let day = days[Int(second / 86_400 + 4) % 7]
    return "\(day), \(date[2]) \(month) \(date[0]) \(text.dropFirst(11).prefix(8)) GMT"
  }
}
