package import Issuance
internal import Metrics
package import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// The handlers between the bytes of a connection and whoever answers.
package enum RequestPipeline {
  /// Adds them to a connection that is served, for a channel that no listener has accepted.
  package static func add(to channel: any Channel, limits: ServeLimits, clock: @escaping WallClock) throws {
    try add(
      to: channel, limits: limits, admission: .served, counts: ProblemCounts(factory: NOOPMetricsHandler.instance),
      date: HTTPDate(clock: clock))
  }

  static func add(
    to channel: any Channel, limits: ServeLimits, admission: ConnectionCount.Admission, counts: ProblemCounts,
    date: HTTPDate
  ) throws {
    let gate = ConnectionLimitsHandler(
      limits: limits, turnedAway: admission == .served ? nil : .tooManyConnections,
      lingers: admission != .turnedAwayAtOnce
    ) { problem, head in
      counts.count(problem.kind)
      return problem.lastAnswer(
        requestID: RequestID.of(head?.headers["x-request-id"] ?? []), date: date.text, isHead: head?.method == .HEAD)
    }
    var parsing = NIOHTTPDecoderLimitConfiguration()
    parsing.maxHeaderListSize = limits.headerBytes
    parsing.maxHeaderFieldSize = limits.headerBytes
    parsing.maxHeaderFieldCount = limits.headerFields
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(gate)
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
      withEncoderConfiguration: HTTPResponseEncoder.Configuration(), withDecoderLimitConfiguration: parsing)
    try pipeline.addHandlers(
      RequestValidationHandler(limits: limits, gate: gate), HTTP1ToHTTPServerCodec(secure: false))
  }
}
