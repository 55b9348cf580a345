internal import Issuance

extension InjectedCorruption {
  var needsPool: Bool {
    switch self {
    case .poolCodeOfNobody, .poolCodeOfAnother, .poolCodesOfOneSeat: true
    default: false
    }
  }

  /// What spoils its campaign, or the copy as a whole. Runs without triggers, foreign keys and CHECKs.
  var sql: String {
    switch self {
    case .counterBehind: "UPDATE campaign SET counter = 7 WHERE \(isCampaign)"
    case .counterAhead: "UPDATE campaign SET counter = 9 WHERE \(isCampaign)"
    case .quotaLowered: "UPDATE campaign SET quota = 7 WHERE \(isCampaign)"
    case .quotaRaisedWithoutAct: "UPDATE campaign SET quota = 11 WHERE \(isCampaign)"
    case .acceptanceLost: "DELETE FROM accepted_user WHERE \(isSeat(2))"
    case .acceptanceExchanged:
      """
      UPDATE accepted_user SET user_id = 'jun' WHERE \(isSeat(4));
      UPDATE outbox SET user_id = 'jun' WHERE \(isSeat(4))
      """
    case .acceptancesLostAtTheEnd:
      """
      DELETE FROM coupon WHERE \(isSeat(8));
      DELETE FROM outbox WHERE \(isSeat(8));
      DELETE FROM accepted_user WHERE \(isSeat(8));
      UPDATE campaign SET counter = 7 WHERE \(isCampaign)
      """
    case .timesBackwards: "UPDATE accepted_user SET accepted_at = accepted_at - 2000 WHERE \(isSeat(4))"
    case .outsideWindow:
      """
      UPDATE campaign SET opens_at = (SELECT accepted_at FROM accepted_user WHERE \(isSeat(3))) WHERE \(isCampaign)
      """
    case .givenWhilePaused:
      "UPDATE operator_act SET counter = 3 WHERE campaign_id = '\(campaign)' AND act = 'pause'"
    case .givenAfterClose:
      "\(insertAct("close", reason: "NULL", counter: 6)); UPDATE campaign SET state = 'closed' WHERE \(isCampaign)"
    case .actWithoutReason: insertAct("discard", reason: "NULL", counter: 8)
    case .campaignLost: "DELETE FROM campaign WHERE \(isCampaign)"
    default: sqlOfSeats
    }
  }

  private var sqlOfSeats: String {
    switch self {
    case .outboxLost: "DELETE FROM outbox WHERE \(isSeat(4))"
    case .deliveredWithoutCoupon: "DELETE FROM coupon WHERE \(isSeat(1))"
    case .pendingBesideCoupon: "UPDATE outbox SET state = 'pending', settled_at = NULL WHERE \(isSeat(1))"
    case .traceExchanged:
      """
      UPDATE outbox SET traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' WHERE \(isSeat(1))
      """
    case .failedEventLost: "DELETE FROM failed_event WHERE \(isSeat(5))"
    case .resolvedWithoutCoupon:
      """
      UPDATE failed_event SET state = 'resolved', next_attempt_at = NULL, settled_at = failed_at WHERE \(isSeat(5))
      """
    case .openBesideCoupon:
      """
      UPDATE failed_event SET state = 'waiting', next_attempt_at = failed_at, settled_at = NULL WHERE \(isSeat(3))
      """
    case .attemptsDisagree: "UPDATE failed_event SET attempts = attempts + 1 WHERE \(isSeat(5))"
    case .couponForAnother: "UPDATE coupon SET user_id = 'jun' WHERE \(isSeat(2))"
    case .couponWithoutAcceptance:
      """
      INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at) VALUES ('\(campaign)', 11, 'jun', 'EXTRA', 1)
      """
    case .codeNotRecomputed: "UPDATE coupon SET code = 'AAAA-AAAA-AAAA-AAAA' WHERE \(isSeat(2))"
    case .timeOutOfBounds: "UPDATE outbox SET created_at = -9223372036854775808 WHERE \(isSeat(1))"
    case .generationOutOfBounds: "UPDATE failed_event SET generation = 9223372036854775807 WHERE \(isSeat(5))"
    case .rowMalformed: "UPDATE coupon SET code = 'a b' WHERE \(isSeat(2))"
    case .poolCodeOfNobody: "UPDATE pool_code SET seat = 9 WHERE campaign_id = '\(campaign)' AND code = 'C-9'"
    case .poolCodeOfAnother: "UPDATE coupon SET code = 'C-9' WHERE \(isSeat(1))"
    case .referenceToNothing:
      """
      INSERT INTO attempt (campaign_id, seat, generation, run_id, outcome, started_at, ended_at)
      VALUES ('\(campaign)', 99, 1, 'self-test', 'fenced', 1, 1)
      """
    default: sqlOfTheStore
    }
  }

  private var sqlOfTheStore: String {
    switch self {
    case .couponsOfOneUser:
      """
      UPDATE coupon SET user_id = 'user-1' WHERE \(isSeat(8));
      UPDATE coupon SET code = (SELECT code FROM coupon WHERE \(isSeat(1))) WHERE \(isSeat(2))
      """
    case .poolCodesOfOneSeat:
      """
      DROP INDEX pool_code_seat;
      UPDATE pool_code SET seat = 2 WHERE campaign_id = '\(campaign)' AND code = 'C-9';
      CREATE INDEX pool_code_seat ON pool_code (campaign_id, seat) WHERE seat IS NOT NULL
      """
    case .indexLost: "DROP INDEX failed_event_dead"
    case .strayTable: "CREATE TABLE stray (id INTEGER)"
    case .pageLost:
      """
      CREATE TABLE planted_page (id INTEGER);
      PRAGMA writable_schema = ON;
      DELETE FROM sqlite_master WHERE name = 'planted_page';
      PRAGMA writable_schema = RESET
      """
    case .indexIncomplete:
      """
      CREATE TEMP TABLE planted_index AS SELECT sql FROM main.sqlite_master WHERE name = 'outbox_pending';
      DROP INDEX outbox_pending;
      CREATE INDEX outbox_pending ON outbox (campaign_id, seat) WHERE state = 'failed';
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = (SELECT sql FROM planted_index) WHERE name = 'outbox_pending';
      PRAGMA writable_schema = RESET;
      DROP TABLE planted_index
      """
    default: ""  // triggers: they are taken away and altered where all of them are put back
    }
  }

  private var isCampaign: String { "id = '\(campaign)'" }

  private func isSeat(_ seat: Int) -> String { "campaign_id = '\(campaign)' AND seat = \(seat)" }

  private func insertAct(_ act: String, reason: String, counter: Int) -> String {
    """
    INSERT INTO operator_act (campaign_id, act, operator, reason, detail, counter, quota, acted_at)
    VALUES ('\(campaign)', '\(act)', 'self-test', \(reason), '', \(counter), 10, 1)
    """
  }
}
