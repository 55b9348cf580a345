/// One way to attack the promises: numbered trials, each made of the seed and its number alone, so that one that fails
/// can be made again by itself.
package protocol Harness: Sendable {
  /// As `scripts/prove --only` knows it.
  var name: String { get }
  /// What one trial does and what is checked after it, in one or two sentences of FAULTS.md.
  var summary: String { get }
  /// Whether the release build runs its long form, because it is quick there and needs no crash points. Short forms are
  /// run by the debug build, so that nothing else has to be built beside the tests.
  var isOfRelease: Bool { get }
  /// Whether its trials are shared out among processes, one for each processor: threads of one process that use SQLite
  /// wait for each other.
  var runsInParts: Bool { get }
  /// What the trials are, in the plural: "kills".
  var unit: String { get }
  /// How many trials a form makes.
  func trials(in form: Form) async throws -> Int
  /// How many trials are made before what was seen is written down; a run that is cut off goes on from there.
  var stride: Int { get }
  /// What has to have been counted for the whole to prove anything; less makes the run fail.
  func demands(in form: Form) -> [String: Int]
  /// The heads of the table whose lines are the rows of its tally.
  var columns: [String] { get }
  /// Makes the trials of these numbers. A broken promise goes to `tally`; what is thrown is the harness's own failure.
  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws
}

extension Harness {
  package var columns: [String] { [] }
  package var isOfRelease: Bool { false }
  package var runsInParts: Bool { false }
}

package enum Form: String, Sendable, Codable, CaseIterable {
  /// Beside the tests, in minutes.
  case short
  /// What FAULTS.md tells of.
  case long
}
