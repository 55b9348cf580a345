internal import Foundation
internal import History
internal import Issuance
internal import TestSupport

/// What a disk or a person does to the files, which has to be named.
struct DamageHarness: Harness {
  let name = "damage"
  let unit = "damaged files"
  let stride = 32
  let summary = """
    A copy of the files of a service that was killed with acknowledged claims in its log gets one damage. Unless what
    it holds is just what it held, `reconcile report` is not CLEAN and says what to do; `serve` does not start, or
    answers every user who was accepted with the same seat and names in its log what the report names, by the same ids.
    A file that could be served is served: a start that ends there with an error counts as broken.
    A lost log, an old backup, also under a newer log, and a schema without one of its objects are refused at the start, with 78 or 74.
    Then each corruption of rows, books and schema that the self-test of `reconcile` knows, in the file itself: the
    report names just what it is, and so does the start of `serve`.
    """

  /// A damage of the files, or a corruption that the self-test knows.
  enum Kind: Sendable {
    case damage(Damage)
    case planted(InjectedCorruption)

    /// Without the one of the witness, which is not in the file: lost logs and old backups are that.
    static let all =
      Damage.allCases.map(Self.damage)
      + InjectedCorruption.allCases.filter { $0 != .acceptancesLostAtTheEnd }.map(Self.planted)

    var name: String {
      switch self {
      case .damage(let damage): damage.rawValue
      case .planted(let fault): "planted: \(fault.rawValue)"
      }
    }
  }

  func trials(in form: Form) -> Int { Kind.all.count * (form == .short ? 2 : 40) }

  func demands(in form: Form) -> [String: Int] {
    let each = trials(in: form) / Kind.all.count
    return Dictionary(uniqueKeysWithValues: Kind.all.map { ($0.name, each) })
      .merging([
        "refused at the start": each * 8, "DIRTY or UNKNOWN": each * 35, "named by the start": each * 25,
      ]) { $1 }
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let ground = try await DamageGround.shared.ready()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for half in 0...1 {
        group.addTask {
          for trial in trials where trial % 2 == half {
            switch Kind.all[trial % Kind.all.count] {
            case .damage(let kind): try await ground.damage(kind, trial: trial, seed: seed, tally: tally)
            case .planted(let fault): try await ground.plant(fault, trial: trial, tally: tally)
            }
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
  case backupUnderLog = "backup put over the file, log left"
  case lyingDisk = "commits lost by a lying disk"
  case witnessByte = "byte of the witness turned"
  case witnessDeleted = "witness deleted"
  case codeChanged = "code of a coupon changed"
  case userChanged = "user of a seat changed"
  case seatDeleted = "acceptance deleted"

  /// Whether users may be told something else afterwards: the start of a service names it.
  var altersAcceptances: Bool { self == .userChanged || self == .seatDeleted }

  /// Whether a service has to refuse it, whatever was drawn.
  var mustBeRefused: Bool {
    switch self {
    case .logDeleted, .tableDropped, .triggerDropped, .indexDropped, .oldBackup, .backupUnderLog, .lyingDisk,
      .witnessDeleted:
      true
    default: false
    }
  }
}
