internal import Foundation
internal import TestSupport

/// What is wrong around a command from its start to its end.
enum Condition: Sendable, Hashable {
  /// The disk of the database has so many bytes left.
  case fullDisk(free: Int)
  /// The file system of the database is mounted read-only.
  case readOnly
  /// So many descriptors, with the three standard streams.
  case descriptors(Int)
  case closedOutput
  /// Standard output takes nothing: `/dev/full`.
  case fullOutput

  var name: String {
    switch self {
    case .fullDisk(let free): "\(free) bytes of disk left"
    case .readOnly: "a read-only disk"
    case .descriptors(let count): "\(count) descriptors"
    case .closedOutput: "closed output"
    case .fullOutput: "full output"
    }
  }

  /// As the tally counts it.
  var kind: String {
    switch self {
    case .fullDisk: "on a full disk"
    case .readOnly: "on a read-only disk"
    case .descriptors: "with few descriptors"
    case .closedOutput, .fullOutput: "with nowhere to print to"
    }
  }

  /// What a shell does before it becomes the command.
  var script: String {
    switch self {
    case .fullDisk, .readOnly: #"exec "$0" "$@""#
    case .descriptors(let count): #"ulimit -n \#(count) && exec "$0" "$@""#
    case .closedOutput: #"exec "$0" "$@" >&-"#
    case .fullOutput: #"exec "$0" "$@" >/dev/full"#
    }
  }

  /// What every command asks for, and some that are open already.
  static let enoughDescriptors = 96 + 4 * ProcessInfo.processInfo.activeProcessorCount + 16

  /// - Parameter drawn: chooses how much is left.
  static func all(_ drawn: inout SplitMix) -> [Condition] {
    [
      .fullDisk(free: 0), .fullDisk(free: 4_096 * (1 + drawn.below(16))), .readOnly,
      .descriptors(4 + drawn.below(60)), .descriptors(enoughDescriptors + drawn.below(8)), .closedOutput, .fullOutput,
    ]
  }
}
