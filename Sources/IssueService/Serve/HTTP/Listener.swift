internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// A socket that takes connections and has their requests answered.
struct Listener: Sendable {
  let address: ListenAddress
  let limits: ServeLimits

  /// - Parameters:
  ///   - onRunning: called once, with the address, when connections are taken.
  ///   - answer: answers one request.
  func server(
    problems: ProblemCounts, logger: Logger, onRunning: @escaping @Sendable (SocketAddress?) -> Void,
    answer: @escaping GuardedChannel.Answer
  ) -> any Service {
    let channel = GuardedChannel(limits: limits, counts: problems, answer: answer)
    let configuration = ServerConfiguration(
      address: .hostname(address.host, port: address.port), backlog: limits.listenBacklog)
    return Server(
      childChannelSetup: channel, configuration: configuration,
      onServerRunning: { [limits] listening in
        // A spike of connections is taken from the kernel's queue many at a time.
        _ = try? await listening.setOption(.maxMessagesPerRead, value: UInt(limits.acceptsPerTurn)).get()
        onRunning(listening.localAddress)
      }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
  }
}
