import History
import TestSupport
import Testing

/// The checker against a search through every order, on histories that are small enough for one.
@Suite("The checker agrees with a search through every order")
struct EveryOrderTests {
  @Test(arguments: 0..<8 as Range<UInt64>)
  func itAgrees(block: UInt64) {
    var explained = 0
    var judged = 0
    for seed in block * 250..<(block + 1) * 250 {
      guard let run = Self.disturbed(seed: seed) else { continue }
      judged += 1
      let isExplained = EveryOrder(run.history, final: run.final[0]).explains
      if isExplained { explained += 1 }
      #expect(run.violations.isEmpty == isExplained, "seed \(seed): \(run.violations)")
    }
    // Both kinds are there in plenty.
    #expect(explained > 75 && judged - explained > 75, "\(explained) of \(judged) have an order")
  }

  /// A small sound run with a few changes, after which it may be sound or not; `nil` where acts have come to overlap.
  static func disturbed(seed: UInt64) -> Run? {
    var random = SplitMix(state: seed ^ 0xD15B)
    var shape = Simulation.Shape(campaigns: 1, quotas: 1...3)
    shape.operations = 3 + random.below(5)
    shape.users = 2 + random.below(4)
    shape.reach = 1 + random.below(60)
    shape.step = [1, 3, 20, 40][random.below(4)]
    shape.actsPerMille = [0, 200, 400, 600][random.below(4)]
    shape.lostPerMille = [0, 120, 500][random.below(3)]
    var run = Run(seed: seed, shape: shape)
    guard run.history.operations.count + run.history.acts.count <= 10 else { return nil }
    for _ in 0...random.below(3) {
      if random.chance(700) { disturbClaims(of: &run, by: &random) } else { disturbRest(of: &run, by: &random) }
    }
    let acts = run.history.acts.sorted { ($0.begun, $0.ended) < ($1.begun, $1.ended) }
    return zip(acts, acts.dropFirst()).allSatisfy { $0.ended <= $1.begun } ? run : nil
  }

  private static func disturbClaims(of run: inout Run, by random: inout SplitMix) {
    let index = random.below(run.history.operations.count)
    let other = random.below(run.history.operations.count)
    let shift = UInt64(random.below(60))
    var operation = run.history.operations[index]
    switch random.below(7) {
    case 0: (operation.begun, operation.ended) = (operation.begun + shift, operation.ended + shift)
    case 1:
      operation.begun -= min(shift, operation.begun)
      operation.ended = max(operation.begun, operation.ended - min(shift, operation.ended))
    case 2: operation.begun += min(shift, operation.ended - operation.begun)
    case 3: operation.ended -= min(shift, operation.ended - operation.begun)
    case 4: operation.answer = [.soldOut, .paused, .closed, .unknown, .nothingHappened][random.below(5)]
    case 5:
      if let seat = operation.answer.seat { operation.answer = operation.answer.isSame ? .yes(seat) : .again(seat) }
    default: operation.answer = run.history.operations[other].answer
    }
    run.history.operations[index] = operation
  }

  private static func disturbRest(of run: inout Run, by random: inout SplitMix) {
    let shift = UInt64(random.below(60))
    if random.chance(600), !run.history.acts.isEmpty {
      let index = random.below(run.history.acts.count)
      if random.chance(500) {
        run.history.acts[index].begun += shift
        run.history.acts[index].ended += shift
      } else {
        run.history.acts[index].kind = [.paused, .resumed, .closed, .raised(to: run.final[0].quota)][random.below(4)]
      }
    } else if run.final[0].rows.count > 1 {
      let seat = run.final[0].rows[0].seat
      run.final[0].rows[0].seat = run.final[0].rows[1].seat
      run.final[0].rows[1].seat = seat
    }
  }
}
