/// A copy of a store in which faults are planted, to see whether they are found.
package protocol SelfTestSandbox {
  /// The copy as it stands.
  func snapshot() throws(StoreError) -> any ReconciliationSnapshot

  /// Puts a sound campaign of its own into the copy for each fault, and plants the fault in it.
  ///
  /// Each campaign has eight accepted seats of a quota of ten: 1, 2 and 8 have their coupons, 3 has one by a replay, 4 is
  /// in flight, 5 waits for a replay, 6 is dead, 7 discarded.
  func plant(_ faults: [InjectedCorruption]) throws(StoreError)
}

/// The corruptions that are known: what no program of ours does, and what has been seen elsewhere.
package enum InjectedCorruption: String, Sendable, CaseIterable {
  // The counter and the quota.
  case counterBehind, counterAhead, quotaLowered, quotaRaisedWithoutAct
  // The set.
  case acceptanceLost, acceptanceExchanged, acceptancesLostAtTheEnd, timesBackwards, outsideWindow
  case givenWhilePaused, givenAfterClose
  // Outbox, failed events and coupons.
  case outboxLost, deliveredWithoutCoupon, pendingBesideCoupon, traceExchanged, failedEventLost
  case resolvedWithoutCoupon, openBesideCoupon, attemptsDisagree
  case couponForAnother, couponWithoutAcceptance, codeNotRecomputed
  case poolCodeOfNobody, poolCodeOfAnother
  // Operators, campaigns and rows.
  case actWithoutReason, campaignLost, rowMalformed, referenceToNothing
  // Numbers that no program writes.
  case timeOutOfBounds, generationOutOfBounds
  // The store itself: one of each in the whole copy.
  case couponsOfOneUser, poolCodesOfOneSeat, triggerLost, triggerAltered, indexLost, strayTable, pageLost
  case indexIncomplete

  /// The campaign that it is planted in.
  package var campaign: String {
    "self-test-" + rawValue.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
  }
}
