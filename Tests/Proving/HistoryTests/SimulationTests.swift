import History
import TestSupport
import Testing

@Suite("Simulated runs")
struct SimulationTests {
  @Test(arguments: 0..<300 as Range<UInt64>)
  func aSoundRunIsSound(seed: UInt64) {
    let run = Run(seed: seed)
    #expect(run.violations == [], "seed \(seed)")
  }

  /// Other shapes: hardly any overlap, nothing but overlap, one campaign with many acts, many losses.
  @Test(arguments: [
    Simulation.Shape(reach: 0, step: 3), Simulation.Shape(reach: 3_000, step: 12),
    Simulation.Shape(campaigns: 1, reach: 5, actsPerMille: 300), Simulation.Shape(lostPerMille: 700),
    Simulation.Shape(users: 5), Simulation.Shape(quotas: 1...2, step: 0),
  ])
  func aSoundRunOfAnotherShapeIsSound(shape: Simulation.Shape) {
    for seed in 1_000..<1_040 as Range<UInt64> {
      let run = Run(seed: seed, shape: shape)
      #expect(run.violations == [], "seed \(seed)")
    }
  }

  /// The runs above have everything in them that a run can have.
  @Test func theRunsAreNotVacuous() {
    var whole = ClaimHistory()
    for seed in 0..<300 as Range<UInt64> {
      let run = Run(seed: seed)
      whole.operations += run.history.operations
      whole.acts += run.history.acts
      #expect(HistorySummary(run.history).mostInFlight >= 5)
    }
    let summary = HistorySummary(whole)
    for count in [
      summary.accepted, summary.same, summary.soldOut, summary.paused, summary.closed, summary.nothingHappened,
      summary.unknown,
    ] {
      #expect(count > 1_000, "\(summary)")
    }
    for kind in [Act.Kind.paused, .resumed, .closed] { #expect(whole.acts.count { $0.kind == kind } > 50) }
  }

  @Test(arguments: Mutation.provable)
  func aFalseRunIsFound(mutation: Mutation) {
    var planted = 0
    for seed in 0..<60 as Range<UInt64> {
      var run = Run(seed: seed)
      guard let campaign = mutation.plant(&run) else { continue }
      planted += 1
      let violations = run.violations
      #expect(!mutation.promises.isDisjoint(with: violations.map(\.promise)), "seed \(seed): \(violations)")
      #expect(violations.allSatisfy { $0.campaign == campaign }, "seed \(seed): \(violations)")
    }
    #expect(planted >= 15)
  }

  /// Those that spans may hide now and then.
  @Test(arguments: Mutation.mostlyProvable)
  func aFalseRunIsMostlyFound(mutation: Mutation) {
    var planted = 0
    var caught = 0
    for seed in 0..<60 as Range<UInt64> {
      var run = Run(seed: seed)
      guard mutation.plant(&run) != nil else { continue }
      planted += 1
      if !mutation.promises.isDisjoint(with: run.violations.map(\.promise)) { caught += 1 }
    }
    #expect(planted >= 30)
    #expect(caught * 2 > planted, "caught \(caught) of \(planted)")
  }

  /// In square time this would not end.
  @Test func manyOperations() {
    let shape = Simulation.Shape(
      campaigns: 4, operations: 200_000, users: 60_000, quotas: 10_000...12_000, reach: 2_000, step: 2, actsPerMille: 1)
    var run = Run(seed: 7, shape: shape)
    #expect(run.violations == [])
    #expect(HistorySummary(run.history).operations == 200_000)
    guard let campaign = run.final.first(where: { $0.rows.count > 5_000 }) else {
      Issue.record("a campaign is full")
      return
    }
    // One who came last of all holds the first seat: every other seat and every "sold out" speaks against it.
    for index in run.history.operations.indices
    where run.history.operations[index].campaign == campaign.id && run.history.operations[index].answer.seat == 1 {
      run.history.operations[index].begun += 1_000_000_000
      run.history.operations[index].ended += 1_000_000_000
    }
    #expect(run.violations.contains { $0.promise == "FIRST-COME" })
  }
}

extension Mutation {
  static let mostlyProvable: [Mutation] = [
    Mutation("any two seats are swapped", ["FIRST-COME"]) { run in
      guard let first = run.pick(\.answer.isAccepted) else { return nil }
      let one = run.history.operations[first]
      guard let second = run.pick({ $0.answer.isAccepted && $0.campaign == one.campaign && $0 != one }),
        let seat = one.answer.seat, let other = run.history.operations[second].answer.seat
      else { return nil }
      run.reseat(first, to: other)
      run.reseat(second, to: seat)
      return one.campaign
    },
    Mutation("a pause is not on the record", ["THREE-ANSWERS"]) { run in
      let pauses = run.history.acts.indices.filter { run.history.acts[$0].kind == .paused }
      guard let index = pauses.randomElement(using: &run.random) else { return nil }
      return run.history.acts.remove(at: index).campaign
    },
    Mutation("a resume is not on the record", ["PAUSE-HOLDS", "THREE-ANSWERS", "SAME-ANSWER"]) { run in
      let resumes = run.history.acts.indices.filter { run.history.acts[$0].kind == .resumed }
      let afterPause = resumes.filter { index in
        let act = run.history.acts[index]
        return run.history.acts[..<index].last { $0.campaign == act.campaign }?.kind == .paused
      }
      guard let index = afterPause.randomElement(using: &run.random) else { return nil }
      return run.history.acts.remove(at: index).campaign
    },
    Mutation("a no of another kind", ["FIRST-COME", "PAUSE-HOLDS", "THREE-ANSWERS", "SAME-ANSWER"]) { run in
      guard let index = run.pick(\.answer.isNo) else { return nil }
      let others = [Answer.soldOut, .paused, .closed].filter { $0 != run.history.operations[index].answer }
      run.history.operations[index].answer = others[run.random.below(2)]
      return run.history.operations[index].campaign
    },
  ]
}
