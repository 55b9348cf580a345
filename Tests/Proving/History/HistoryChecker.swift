/// Judges a whole history against the promises, without a line of the service's code.
///
/// It never reports what some correct service could have done: spans that overlap may have gone either way, and an
/// unknown claim may have happened or not. It knows campaigns without a window of time.
package enum HistoryChecker {
  /// - Parameter final: all campaigns, as the database holds them when nothing can change them any more.
  package static func violations(in history: ClaimHistory, final: [FinalCampaign]) -> [Violation] {
    let operations = Dictionary(grouping: history.operations, by: \.campaign)
    let acts = Dictionary(grouping: history.acts, by: \.campaign)
    var judged: Set<String> = []
    var found: [Violation] = []
    for campaign in final {
      if judged.insert(campaign.id).inserted {
        let claims = operations[campaign.id] ?? []
        found += violations(of: campaign, operations: claims, acts: acts[campaign.id] ?? [])
        found += ReadingJudge(campaign.id, history: history, operations: claims).violations()
      } else {
        found.append(Violation(.unknownIsNotOK, campaign: campaign.id, "the database was read with it twice"))
      }
    }
    for id in Set(operations.keys).union(acts.keys).subtracting(judged).sorted() {
      found += violations(ofMissing: id, operations: operations[id] ?? [], acts: acts[id] ?? [])
    }
    return found
  }

  private static func violations(
    of campaign: FinalCampaign, operations: [Operation], acts: [Act]
  ) -> [Violation] {
    let acts = acts.sorted { ($0.begun, $0.ended) < ($1.begun, $1.ended) }
    let malformed = malformed(operations, acts, in: campaign.id)
    guard malformed.isEmpty else { return malformed }
    let users = records(of: campaign, operations)
    var judge = OrderJudge(campaign, users: users, acts: acts)
    return campaign.violations(after: acts) + users.flatMap { $0.violations() } + judge.violations()
  }

  /// What no clock and no operator can have recorded.
  private static func malformed(_ operations: [Operation], _ acts: [Act], in campaign: String) -> [Violation] {
    var found: [Violation] = []
    for operation in operations where operation.ended < operation.begun {
      found.append(
        Violation(.unknownIsNotOK, campaign: campaign, "a claim of \(operation.user) ended first, \(operation.span)"))
    }
    for act in acts where act.ended < act.begun {
      found.append(Violation(.unknownIsNotOK, campaign: campaign, "an act ended before it began, \(act.span)"))
    }
    for (act, next) in zip(acts, acts.dropFirst()) where next.begun < act.ended {
      found.append(
        Violation(.unknownIsNotOK, campaign: campaign, "an act, \(next.span), began during another, \(act.span)"))
    }
    return found
  }

  /// In the order in which the users first appear.
  private static func records(of campaign: FinalCampaign, _ operations: [Operation]) -> [UserRecord] {
    var records: [UserRecord] = []
    var index: [String: Int] = [:]
    func position(of user: String) -> Int {
      if let position = index[user] { return position }
      index[user] = records.count
      records.append(UserRecord(campaign: campaign.id, user: user))
      return records.count - 1
    }
    for operation in operations { records[position(of: operation.user)].add(operation) }
    for row in campaign.rows { records[position(of: row.user)].add(row) }
    return records
  }

  /// An answer about a campaign that the database does not hold.
  private static func violations(ofMissing id: String, operations: [Operation], acts: [Act]) -> [Violation] {
    var found: [Violation] = []
    let yes = operations.filter { $0.answer.yes != nil }
    if let first = yes.first, let seat = first.answer.yes?.seat {
      found.append(
        Violation(
          .noFalseYes, campaign: id,
          "the database does not hold it, but gave \(yes.count) claims a seat: \(first.user) \(seat), \(first.span)"))
    }
    let refusals = operations.filter { [.soldOut, .paused, .closed].contains($0.answer) }
    if let first = refusals.first {
      found.append(
        Violation(
          .threeAnswers, campaign: id,
          "the database does not hold it, but \(refusals.count) claims were refused: \(first.user), \(first.span)"))
    }
    if let act = acts.first {
      found.append(
        Violation(.nothingLost, campaign: id, "the database does not hold it, but it was acted on, \(act.span)"))
    }
    return found
  }
}
