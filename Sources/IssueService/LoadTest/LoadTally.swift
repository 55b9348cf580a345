internal import Foundation
internal import Histogram
internal import ServiceKit

/// Times of claims, in microseconds with three significant digits (HdrHistogram, http://hdrhistogram.org).
struct LatencyRecord: Sendable {
  // It grows with what it is given: each worker has its own, and most never see a second.
  private var histogram = Histogram<UInt32>(numberOfSignificantValueDigits: .three)

  /// How many times there are.
  var count: Int { Int(clamping: histogram.totalCount) }

  /// - Parameter nanoseconds: rounded to whole microseconds, at least one.
  mutating func record(nanoseconds: Int64) {
    histogram.record(UInt64(max(1, (nanoseconds + 500) / 1_000)))
  }

  mutating func add(_ other: LatencyRecord) { histogram.add(other.histogram) }

  /// What is not exceeded by this share, in percent, of the times; 0 where there are none.
  func microseconds(at percentile: Double) -> Int { Int(clamping: histogram.valueAtPercentile(percentile)) }

  var maximum: Int { count == 0 ? 0 : Int(clamping: histogram.maxRecorded) }
  var mean: Double { histogram.mean }

  /// The distribution by percentile, in milliseconds, as HdrHistogram's plotter reads it (`.hgrm`).
  var distribution: String {
    var text = ""
    histogram.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1_000)
    return text
  }
}

/// What one worker counted; the workers' tallies make the whole.
struct LoadTally: Sendable {
  /// Claims by the word of their answer.
  var outcomes: [String: Int] = [:]
  /// From the sending of each claim to its answer.
  var serviceTime = LatencyRecord()
  /// From the intended start of each claim to its answer; empty in the closed loop.
  var response = LatencyRecord()
  /// Claims that started late by more than ``lateness``, because all connections were busy.
  var startedLate = 0
  /// When the last answer was there, in nanoseconds from the beginning.
  var lastAnswer: Int64 = 0
  /// What the first claim without an answer failed with.
  var firstFailure: String?

  /// What counts as late, in nanoseconds: 10 ms. A timer is not as exact as the schedule.
  static let lateness: Int64 = 10_000_000

  var claims: Int { outcomes.values.reduce(0, +) }
  var unanswered: Int { outcomes[LoadAnswer.Undecided.noAnswer.rawValue, default: 0] }
  var answered: Int { claims - unanswered }
  /// Claims that the service did not decide, of users that had no other claim in hand.
  var undecided: Int {
    [LoadAnswer.Undecided.noAnswer, .none, .unknown, .timeout].map { outcomes[$0.rawValue, default: 0] }.reduce(0, +)
  }

  /// - Parameters: times in nanoseconds from the beginning.
  mutating func add(_ answer: LoadAnswer, intended: Int64?, sent: Int64, answered: Int64) {
    outcomes[answer.word, default: 0] += 1
    lastAnswer = max(lastAnswer, answered)
    if let intended, sent - intended > Self.lateness { startedLate += 1 }
    guard answer.isAnswer else { return }
    serviceTime.record(nanoseconds: answered - sent)
    if let intended { response.record(nanoseconds: answered - intended) }
  }

  mutating func add(_ other: LoadTally) {
    outcomes.merge(other.outcomes, uniquingKeysWith: +)
    serviceTime.add(other.serviceTime)
    response.add(other.response)
    startedLate += other.startedLate
    lastAnswer = max(lastAnswer, other.lastAnswer)
    firstFailure = firstFailure ?? other.firstFailure
  }
}

/// The file of `--histogram`: opened before the load, so that nobody waits for a result that cannot be written.
struct HistogramFile: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``CLIError``, exit code 74, where it cannot be written. What it holds stays until ``write(_:)``.
  init(path: String) throws(CLIError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
  }

  deinit { close(descriptor) }

  /// Replaces what the file holds.
  ///
  /// - Throws: ``CLIError``, exit code 74.
  func write(_ text: String) throws(CLIError) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Foundation.write(descriptor, buffer.baseAddress! + sent, bytes.count - sent)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.failure(path, errno) }
      sent += written
    }
    // A pipe or a device has no length.
    guard ftruncate(descriptor, off_t(sent)) == 0 || errno == EINVAL else { throw Self.failure(path, errno) }
  }

  private static func failure(_ path: String, _ error: Int32) -> CLIError {
    CLIError(
      .inputOutput, "cannot write the histogram to \(path)", reason: unsafe String(cString: strerror(error)),
      hint: "name a file in a directory that is there and can be written: --histogram FILE")
  }
}
