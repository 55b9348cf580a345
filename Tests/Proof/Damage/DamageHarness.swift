internal import Foundation
internal import History
internal import TestSupport

/// What a disk or a person does to the files, which has to be named.
struct DamageHarness: Harness {
  let name = "damage"
  let unit = "damaged files"
  let stride = 32
  let summary = """
    A copy of the files of a service that was killed with acknowledged claims in its log gets one damage. Unless what
    it holds is just what it held, `reconcile report` is not CLEAN and says what to do; `serve` does not start, or
    answers every user who was accepted with the same seat, or warns that acceptances were altered. A lost log, an old backup and a schema without one of its
    objects are refused at the start, with 78 or 74.
    """

  func trials(in form: Form) -> Int { form == .short ? 96 : 1_600 }

  func demands(in form: Form) -> [String: Int] {
    let each = trials(in: form) / Damage.allCases.count
    return Dictionary(uniqueKeysWithValues: Damage.allCases.map { ($0.rawValue, each) })
      .merging(["refused at the start": trials(in: form) / 4, "DIRTY or UNKNOWN": trials(in: form) / 4]) { $1 }
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let ground = try await DamageGround.shared.ready()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for half in 0...1 {
        group.addTask {
          for trial in trials where trial % 2 == half {
            try await ground.damage(trial: trial, seed: seed, tally: tally)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}

enum Damage: String, CaseIterable, Sendable {
  case logDeleted = "log deleted"
  case logByte = "byte of the log turned"
  case logCut = "log cut short"
  case pageByte = "byte of a page turned"
  case pageOverwritten = "page overwritten"
  case fileCut = "file cut short"
  case tableDropped = "table dropped"
  case triggerDropped = "trigger dropped"
  case indexDropped = "index dropped"
  case oldBackup = "old backup put back"
  case lyingDisk = "commits lost by a lying disk"
  case witnessByte = "byte of the witness turned"
  case witnessDeleted = "witness deleted"
  case codeChanged = "code of a coupon changed"
  case userChanged = "user of a seat changed"
  case seatDeleted = "acceptance deleted"

  /// Whether a service has to say so when it starts, if it does.
  var altersAcceptances: Bool { self == .userChanged || self == .seatDeleted }

  /// Whether a service has to refuse it, whatever was drawn.
  var mustBeRefused: Bool {
    switch self {
    case .logDeleted, .tableDropped, .triggerDropped, .indexDropped, .oldBackup, .lyingDisk, .witnessDeleted: true
    default: false
    }
  }
}
