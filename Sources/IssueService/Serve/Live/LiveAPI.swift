internal import Composition
internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import NIOCore
internal import ServiceLifecycle

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
