internal import Issuance
internal import Synchronization

/// Whether this process can do its work, asked of its parts.
///
/// Everybody who asks while an answer is found gets that answer: however many ask, the store is asked once at a time.
actor Readiness {
  /// What must hold.
  enum Check: String, CaseIterable {
    case running, writable, schema, witness, consumer, disk
  }

  private let store: any OperationsSource
  private let consumer: Consumer
  private let stopping: ShutdownFlag
  private let limits: ReadinessLimits
  private var asked: Task<Answer, Never>?

  struct Answer: Sendable, Equatable {
    /// What does not hold and why, in a sentence each; nothing where the service is ready.
    var problems: [Check: String] = [:]
    /// As ``StoreProbe/freeBytes``.
    var freeBytes: [String: Int] = [:]
  }

  init(store: any OperationsSource, consumer: Consumer, stopping: ShutdownFlag, limits: ReadinessLimits) {
    self.store = store
    self.consumer = consumer
    self.stopping = stopping
    self.limits = limits
  }

  func answer() async -> Answer {
    if stopping.isSet { return Answer(problems: [.running: Self.isStopping]) }
    if let asked { return await asked.value }
    let task = Task { [store, consumer, limits] in
      let probe: Result<StoreProbe, StoreError>
      do throws(StoreError) {
        probe = .success(try await store.probe())
      } catch {
        probe = .failure(error)
      }
      return Self.judge(
        probe, consumerFailure: consumer.lastFailure,
        hasConsumerPassed: consumer.hasPassed(within: limits.consumerPass), minimumFreeBytes: limits.freeBytes)
    }
    asked = task
    defer { asked = nil }
    return await task.value
  }

  private static let isStopping = "The service is stopping."

  static func judge(
    _ probe: Result<StoreProbe, StoreError>, consumerFailure: StoreError?, hasConsumerPassed: Bool,
    minimumFreeBytes: Int
  ) -> Answer {
    var problems: [Check: String] = [:]
    var freeBytes: [String: Int] = [:]
    switch probe {
    case .success(let probe):
      freeBytes = probe.freeBytes
      let full = probe.freeBytes.filter { $0.value < minimumFreeBytes }.sorted { $0.key < $1.key }
      if !full.isEmpty {
        let places = full.map { "\($0.value / mebibyte) MiB are left for the \($0.key)" }
        problems[.disk] = "The disk is nearly full: \(places.joined(separator: ", "))."
      }
    case .failure(let failure): problems[Check(failure.code)] = "\(failure.subject): \(failure.cause)."
    }
    if let consumerFailure {
      problems[.consumer] = "Coupons wait: \(consumerFailure.cause)."
    } else if !hasConsumerPassed {
      problems[.consumer] = "The consumer has not come to an end of its work for too long."
    }
    return Answer(problems: problems, freeBytes: freeBytes)
  }

  private static let mebibyte = 1 << 20
}

struct ReadinessLimits: Sendable, Equatable {
  /// Space below which a disk is nearly full.
  var freeBytes = 64 << 20
  /// How long a pass of a consumer that lives may take.
  var consumerPass = Duration.seconds(35)
}

extension Readiness.Check {
  /// The check that a failure of the store belongs to.
  fileprivate init(_ code: StoreError.Code) {
    self =
      switch code {
      case .schemaOlder, .schemaNewer, .schemaAltered: .schema
      case .witnessMissing, .witnessForeign, .witnessAhead: .witness
      case .diskFull: .disk
      default: .writable
      }
  }
}

extension [Readiness.Check: String] {
  /// The problems in one text, in the order of the checks.
  var text: String { Readiness.Check.allCases.compactMap { self[$0] }.joined(separator: " ") }
}

/// Whether the service has been told to stop.
final class ShutdownFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}
