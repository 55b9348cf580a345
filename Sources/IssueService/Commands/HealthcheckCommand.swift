internal import ArgumentParser
internal import AsyncHTTPClient
internal import Composition
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import ServiceKit

/// Asks a service that runs whether it is ready, for hosts that have no curl.
struct HealthcheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Asks a running serve whether it is ready, or only alive.",
    examples: [
      "issue-service healthcheck",
      "issue-service healthcheck --live --ops-listen unix:/run/first-come/ops.sock",
    ],
    discussion: """
      Ends with 0 where it is, else with 69 and the reason. The address is that of
      serve: flag, then environment, then the file that --config names.
      """)

  @Flag(help: "Ask only whether it is alive.") var live = false
  /// Longer than a probe waits for the write lock by default, so that the reason is heard.
  @Option(help: "How long to wait for the answer, such as 500ms or 5s.") var timeout: String = "10s"
  @Option(SettingsResolution.file) var config: String?
  @Option(ServeCatalogue.opsListen) var opsListen: String?

  func validate() throws { _ = try limit() }

  private func limit() throws -> Duration {
    guard let limit = Duration(settingText: timeout), limit > .zero, limit <= .seconds(600) else {
      throw ValidationError("--timeout '\(timeout)' must be a duration above 0, at most 10m, such as 500ms or 5s.")
    }
    return limit
  }

  func run() async throws {
    try await runCommand {
      let address = try address()
      let limit = try limit()
      let answer: (status: Int, body: Data)
      do {
        answer = try await Self.get(live ? "/livez" : "/readyz", at: address, within: limit)
      } catch {
        throw CLIError(
          .unavailable, "cannot ask the service at \(address)", reason: Self.reason(error),
          hint: "see whether it runs, and where its operations listener is: issue-service config show")
      }
      guard answer.status == 200 else {
        throw CLIError(
          .unavailable, "the service at \(address) is not \(live ? "alive" : "ready")",
          reason: (try? JSONDecoder().decode(Refusal.self, from: answer.body))?.detail
            ?? "it answered \(answer.status)",
          hint: "look at its log; a database is judged by: reconcile report")
      }
      try printResult(live ? "alive" : "ready")
      return .done
    }
  }

  private struct Refusal: Decodable { let detail: String }

  private func address() throws -> ListenAddress {
    let flags = [(SettingsResolution.file.key, config), (ServeCatalogue.opsListen.key, opsListen)]
    let resolution = SettingsResolution(
      ServeCatalogue.all,
      flags: Dictionary(uniqueKeysWithValues: flags.compactMap { key, text in text.map { (key, $0) } }),
      environment: SettingsResolution.processEnvironment, readsFile: true)
    guard resolution.problems.isEmpty else { throw SettingsRefused(resolution.problems) }
    let address = resolution[ServeCatalogue.opsListen]
    guard !address.isAnyFreePort else {
      throw CLIError(
        .usage, "cannot tell where the service listens", reason: "\(address) is any free port",
        hint: "name the port that serve has printed: --ops-listen 127.0.0.1:PORT")
    }
    return address
  }

  private static func get(
    _ path: String, at address: ListenAddress, within limit: Duration
  ) async throws -> (status: Int, body: Data) {
    let url: String
    switch address {
    case .host: url = "http://\(address)\(path)"
    case .unix(let socket):
      let name = socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socket
      url = "http+unix://\(name)\(path)"
    }
    let redirects = HTTPClient.Configuration.RedirectConfiguration.follow(max: 5, allowCycles: false)
    return try await HTTPClient.with(.singleAttempt(redirects: redirects, connect: limit)) { client in
      var request = HTTPClientRequest(url: url)
      if case .unix = address { request.headers.replaceOrAdd(name: "Host", value: "localhost") }
      let response = try await client.execute(request, timeout: TimeAmount(limit))
      return (Int(response.status.code), Data(try await response.body.collect(upTo: 64 << 10).readableBytesView))
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
      "it did not answer in time"
    case is HTTPClientError: "\(error)"
    default: "nobody answers there: \(error)"
    }
  }
}
