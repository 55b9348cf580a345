internal import Foundation
internal import History
internal import TestSupport

/// The power cut on one machine: the database on an ext4 of its own, the process stopped, what was acknowledged read,
/// and then the image copied. What has not reached the image would have been lost with the power.
struct PowerCutHarness: Harness {
  let name = "power-cut"
  let unit = "cuts"
  let summary = """
    A writer works on a loop-mounted ext4; at drawn moments it is stopped, what it acknowledged is read, and the image is
    copied, mounted and opened: each acknowledged seat must be there, and the books must balance. Every tenth batch of
    cuts is the service itself over HTTP; every fifth is the control with `synchronous = NORMAL`, which must lose.
    """
  /// Cuts of one writer.
  let stride = 10

  func trials(in form: Form) -> Int { form == .short ? 60 : 1_250 }

  func demands(in form: Form) -> [String: Int] {
    [
      "cuts under FULL": form == .short ? 50 : 1_000, "acknowledged at a cut": trials(in: form) * 20,
      "seats lost under NORMAL": 1, "cuts of the service": 10,
    ]
  }

  func run(_ trials: Range<Int>, seed: UInt64, into tally: Tally) async throws {
    let batch = trials.lowerBound / stride
    let directory = try ScratchDirectory()
    let image = directory.path("disk.img")
    try await Mount.makeImage(image, mebibytes: 64)
    let bench = PowerCutBench(directory: directory, image: image, trials: trials, seed: seed)
    let losses: PowerCutLosses
    switch batch % 10 {
    case 4, 9: losses = try await bench.cutWriter(synchronous: "normal")
    case 0: losses = try await bench.cutService()
    default: losses = try await bench.cutWriter(synchronous: "full")
    }
    let isControl = losses.synchronous == "NORMAL"
    tally.count(isControl ? "cuts under NORMAL" : "cuts under FULL", losses.cuts)
    if losses.writer == "issue-service" { tally.count("cuts of the service", losses.cuts) }
    tally.count("acknowledged at a cut", losses.acknowledged)
    tally.count("seats lost under \(losses.synchronous)", losses.lost)
    tally.count("cuts under NORMAL that lost", isControl ? losses.cutsWithLoss : 0)
    tally.count("cuts under NORMAL that lost, refused by the store", losses.seen)
    for what in losses.broken { tally.broke(what, in: trials.lowerBound) }
    // A control that lost is what was wanted, but each loss must have been seen.
    if isControl, losses.seen < losses.cutsWithLoss {
      tally.broke("\(losses.cutsWithLoss - losses.seen) losses were not seen by the witness", in: trials.lowerBound)
    }
  }
}

/// What ten cuts came to.
struct PowerCutLosses: Sendable {
  let synchronous: String
  let writer: String
  var cuts = 0
  var acknowledged = 0
  var lost = 0
  var cutsWithLoss = 0
  /// Cuts with a loss after which the store refused the file.
  var seen = 0
  var broken: [String] = []
}
