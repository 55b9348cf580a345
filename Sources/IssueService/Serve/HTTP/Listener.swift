internal import Foundation
internal import HummingbirdCore
internal import Issuance
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceKit
internal import ServiceLifecycle

/// A socket that takes connections and has their requests answered.
struct Listener: Sendable {
  let address: ListenAddress
  let limits: ServeLimits
  let share: FileDescriptorBudget.Share

  /// The socket of a service that runs would be taken away from it; what a killed one left behind is nobody's.
  ///
  /// - Throws: ``CLIError``, exit code 69, where somebody answers at a Unix socket, or something else stands at
  ///   its path.
  func refusePathInUse() async throws {
    guard case .unix(let path) = address else { return }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    if let type = attributes?[.type] as? FileAttributeType, type != .typeSocket {
      throw CLIError(
        .unavailable, "cannot listen on \(address)", reason: "what stands at this path is no socket",
        hint: "choose another path")
    }
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    guard let other = try? await bootstrap.connect(unixDomainSocketPath: path).get() else { return }
    try? await other.close()
    throw CLIError(
      .unavailable, "cannot listen on \(address)", reason: "another process does",
      hint: "see which with: ss -lxp; or choose another path")
  }

  /// - Parameters:
  ///   - onRunning: called once, with the address, when connections are taken.
  ///   - answer: answers one request.
  func server(
    problems: ProblemCounts, logger: Logger, onRunning: @escaping @Sendable (SocketAddress?) -> Void,
    answer: @escaping ClaimHTTPChannel.Answer
  ) -> any Service {
    let channel = ClaimHTTPChannel(limits: limits, share: share, counts: problems, answer: answer)
    let configuration = ServerConfiguration(
      address: address.bindAddress, backlog: limits.listenBacklog,
      availableConnectionsDelegate: MaximumAvailableConnections(share.most))
    return Server(
      childChannelSetup: channel, configuration: configuration,
      onServerRunning: { [share] listening in
        // A spike of connections is taken from the kernel's queue many at a time.
        do {
          try await listening.setOption(.maxMessagesPerRead, value: UInt(share.accepts)).get()
        } catch {
          logger.warning("connections are accepted a few at a time: listen-accepts cannot be set: \(error)")
        }
        onRunning(listening.localAddress)
      }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
  }
}
