internal import Composition
internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import NIOCore
internal import ServiceKit
internal import ServiceLifecycle
internal import Synchronization

/// The live page and the stream that feeds it. Reads only.
struct LiveAPI: Sendable {
  /// Streams that are open at once; 503 beyond.
  static let viewerLimit = 500

  private let feed: any StatsStream
  private let events = LiveEvents()
  private let viewers: Viewers

  /// - Parameter viewers: counts the streams that are open.
  init(feed: any StatsStream, viewers: Viewers = Viewers(limit: Self.viewerLimit)) {
    self.feed = feed
    self.viewers = viewers
  }

  /// How many streams are open.
  var viewerCount: Int { viewers.count }

  /// The page with the present stats.
  ///
  /// - Parameter id: of the campaign that it shows, as the client wrote it; `nil` for all of them.
  /// - Throws: ``Problem`` where there is no such campaign.
  func page(of id: String?) throws(Problem) -> Response {
    let latest = feed.latest
    if let id {
      guard let campaignID = CampaignID(id) else { throw .badCampaignID }
      if let stats = latest?.stats, !stats.campaigns.contains(where: { $0.summary.campaign.id == campaignID }) {
        throw .unknownCampaign(campaignID)
      }
    }
    var headers = Self.headers(of: .html)
    headers[.contentSecurityPolicy] = LivePage.embedded.policy
    let text = LivePage.embedded.text(of: id, at: latest)
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  /// What was, and then every point as it comes, until the client leaves or the service stops.
  ///
  /// - Throws: ``Problem`` where too many watch already.
  func stream() throws(Problem) -> Response {
    guard let place = viewers.take() else {
      throw .overloaded(
        "The live page has \(viewers.count) viewers, which is all that it takes. Ask again in a moment.")
    }
    let body = ResponseBody { writer in
      defer { withExtendedLifetime(place) {} }
      // Ordered before what was is read: no point falls between the two.
      let points = feed.points().cancelOnGracefulShutdown()
      let history = feed.history
      try await writer.write(try events.bytes(of: history))
      var lastNumber: Int?
      if let latest = feed.latest {
        lastNumber = latest.number
        try await writer.write(try events.bytes(of: latest, viewers: viewers.count))
      }
      for await point in points where lastNumber.map({ $0 < point.number }) ?? true {
        lastNumber = point.number
        try await writer.write(try events.bytes(of: point, viewers: viewers.count))
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: Self.headers(of: .eventStream), body: body)
  }

  private static func headers(of type: MediaType) -> HTTPFields {
    [
      .contentType: type.contentType, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
      .referrerPolicy: "no-referrer", .crossOriginResourcePolicy: "same-origin",
    ]
  }
}

extension HTTPField.Name {
  fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  fileprivate static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
}

/// Points as server-sent events. Each is encoded once, and all viewers are sent the same bytes.
final class LiveEvents: Sendable {
  /// After which a browser that lost the stream asks for it again, in milliseconds.
  private static let retry = 2_000

  private struct Encoded {
    let number: Int
    let bytes: ByteBuffer
  }

  /// Two locks, each held while one encodes: the others wait for its bytes instead of making their own.
  private let point = Mutex<Encoded?>(nil)
  private let history = Mutex<Encoded?>(nil)

  /// The event `point`.
  ///
  /// - Parameter viewers: how many watch when it is encoded.
  func bytes(of point: StatsSample, viewers: Int) throws -> ByteBuffer {
    try self.point.withLock { encoded in
      if let encoded, encoded.number == point.number { return encoded.bytes }
      let json = try JSONText.encode(LivePoint(point, viewers: viewers))
      let bytes = ByteBuffer(string: "id: \(point.number)\nevent: point\ndata: \(json)\n\n")
      // Who comes late with an older one does not make the others encode theirs again.
      if (encoded?.number ?? .min) < point.number { encoded = Encoded(number: point.number, bytes: bytes) }
      return bytes
    }
  }

  /// The event `history`, with which a stream begins.
  func bytes(of points: [StatsSample]) throws -> ByteBuffer {
    let number = points.last?.number ?? -1
    return try history.withLock { encoded in
      if let encoded, encoded.number == number { return encoded.bytes }
      let json = try JSONText.encode(LiveHistory(points))
      let bytes = ByteBuffer(string: "retry: \(Self.retry)\nevent: history\ndata: \(json)\n\n")
      encoded = Encoded(number: number, bytes: bytes)
      return bytes
    }
  }
}

/// The page: one document whose style and script are its own, and into which the present figures are written for
/// browsers that run no script.
struct LivePage: Sendable {
  /// `Page/live.html`, embedded in the program.
  static let embedded = LivePage(document: String(decoding: PackageResources.live_html, as: UTF8.self))

  /// Where the figures stand in the document.
  static let mark = "<!-- present figures -->"

  /// The value of the field Content-Security-Policy: nothing is run or loaded but what is in the document, by the hash
  /// of its bytes.
  let policy: String
  private let before: String
  private let after: String

  /// - Precondition: the document holds the mark once, and one style and one script.
  init(document: String) {
    let parts = document.components(separatedBy: Self.mark)
    precondition(parts.count == 2, "the page has one place for the figures")
    (before, after) = (parts[0], parts[1])
    policy = [
      "default-src 'none'", "style-src \(Self.hash(of: "style", in: document))",
      "script-src \(Self.hash(of: "script", in: document))", "img-src data:", "connect-src 'self'", "base-uri 'none'",
      "frame-ancestors 'none'", "form-action 'none'",
    ].joined(separator: "; ")
  }

  /// - Parameter id: of the campaign that is asked for; `nil` for all.
  func text(of id: String?, at point: StatsSample?) -> String {
    before + LiveTables(point, campaign: id).html + after
  }

  private static func hash(of element: String, in document: String) -> String {
    let parts = document.components(separatedBy: "<\(element)>")
    precondition(parts.count == 2, "the page has one \(element)")
    let content = parts[1].components(separatedBy: "</\(element)>")[0]
    return "'sha256-\(Data(SHA256.hash(data: Data(content.utf8))).base64EncodedString())'"
  }
}

/// How many streams are open. A place is given back when its last owner is gone: with the answer that held it, whether
/// that was written, broke off or never began.
final class Viewers: Sendable {
  final class Place: Sendable {
    private let viewers: Viewers

    fileprivate init(_ viewers: Viewers) { self.viewers = viewers }

    deinit { viewers.open.subtract(1, ordering: .relaxed) }
  }

  private let limit: Int
  private let open = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  var count: Int { min(open.load(ordering: .relaxed), limit) }

  /// - Returns: `nil` where all places are taken.
  func take() -> Place? {
    let place = open.add(1, ordering: .relaxed).newValue <= limit
    if !place { open.subtract(1, ordering: .relaxed) }
    return place ? Place(self) : nil
  }
}
