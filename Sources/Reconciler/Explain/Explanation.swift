package import Auditing
package import Issuance

/// Explains one seat: its outcome in a plain sentence, and its whole time line. Pure.
package struct Explanation: Sendable {
  private let story: SeatTimeline
  private let record: SeatSnapshot
  /// The findings that the rows of the seat show by themselves.
  package let findings: [Finding]

  package init(_ story: SeatTimeline) {
    self.story = story
    record = SeatSnapshot(
      key: story.key, acceptance: story.record[.acceptance], outbox: story.record[.outbox],
      failedEvent: story.record[.failedEvent], coupon: story.record[.coupon])
    findings = record.findingsByRowsAlone(campaign: story.campaign)
  }

  package func text(in language: Language) -> String {
    var lines = [verdict(in: language)]
    lines += findings.map { "  \(language.phrase("finding", "발견")) \($0.id): \($0.actual)" }
    let steps = story.steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
    if !steps.isEmpty { lines.append("") }
    lines += steps.map { "\($0.element.at)  \($0.element.text(in: language))" }
    return lines.joined(separator: "\n")
  }

  /// The sentence about the seat's outcome.
  package func verdict(in language: Language) -> String {
    let seat = story.key.seat
    let campaign = story.key.campaign
    guard let acceptance = record.acceptance else {
      if record.isSeat {
        return language.phrase(
          "Seat \(seat) of campaign \(campaign) has rows, but nobody was accepted for it: something is wrong.",
          "\(campaign) 캠페인의 \(seat)번 좌석: 기록은 있지만 접수된 사용자가 없습니다. 잘못된 상태입니다.")
      }
      return language.phrase(
        "Nobody holds seat \(seat) of campaign \(campaign).",
        "\(campaign) 캠페인의 \(seat)번 좌석: 보유한 사용자가 없습니다.")
    }
    let begin = language.phrase(
      "User \(acceptance.user) holds seat \(seat) of campaign \(campaign) since \(acceptance.moment)",
      "사용자 \(acceptance.user): \(campaign) 캠페인의 \(seat)번 좌석을 \(acceptance.moment)부터 보유하고 있으며")
    return begin + outcome(in: language)
  }

  private func outcome(in language: Language) -> String {
    let failed = record.failedEvent
    switch record.place {
    case .coupon:
      let at = record.coupon?.moment ?? ""
      return language.phrase(" and has the coupon, issued at \(at).", " 쿠폰이 \(at)에 발급되었습니다.")
    case .inFlight:
      return language.phrase("; the coupon is being made.", " 쿠폰을 만드는 중입니다.")
    case .retryable where failed?.state == "parked":
      return language.phrase(
        "; the coupon waits for codes of the issuer, and comes by itself once there are some.",
        " 제휴사 코드를 기다리는 중입니다. 코드가 들어오면 자동으로 발급됩니다.")
    case .retryable:
      let due = failed?.failure?.nextAttemptAt.map { "\(Timestamp(microseconds: $0))" } ?? "?"
      return language.phrase(
        "; the coupon could not be made yet, and is tried again from \(due) on.",
        " 아직 쿠폰을 만들지 못했습니다. \(due)부터 다시 시도합니다.")
    case .dead:
      return language.phrase(
        "; making the coupon failed for good, and a person must look at it. The seat stays theirs.",
        " 쿠폰 발급이 최종 실패하여 담당자의 확인이 필요합니다. 좌석은 그대로 유지됩니다.")
    case .discarded:
      return language.phrase(
        "; an operator closed it for good, and there will be no coupon.",
        " 운영자가 최종 종료하여 쿠폰이 발급되지 않습니다.")
    case .missing:
      return language.phrase(
        ", but no coupon is on its way: something is wrong. See what can be done with: reconcile plan.",
        " 쿠폰이 만들어지지 않고 있습니다. 잘못된 상태입니다. 조치 방법: reconcile plan")
    }
  }
}

extension Language {
  func phrase(_ english: String, _ korean: String) -> String { self == .english ? english : korean }
}

extension SeatRow {
  fileprivate var moment: String { "\(Timestamp(microseconds: at))" }
}

extension SeatTimeline.Step {
  fileprivate func text(in language: Language) -> String {
    let error = detail.isEmpty ? "" : ": \(detail)"
    switch kind {
    case .accepted: return language.phrase("accepted: the seat was given to \(detail)", "접수: \(detail)에게 좌석 부여")
    case .queued: return language.phrase("put in the outbox", "발송함에 등록")
    case .settled: return language.phrase("outbox row settled: \(word)", "발송함 처리: \(word)")
    case .failed: return language.phrase("failed (\(word))\(error)", "실패(\(word))\(error)")
    case .attempt: return language.phrase("attempt: \(word)\(error)", "재시도: \(word)\(error)")
    case .failureSettled: return language.phrase("failed event settled: \(word)", "실패 건 종료: \(word)")
    case .issued: return language.phrase("coupon issued", "쿠폰 발급")
    case .act:
      let why = reason.map { " (\($0))" } ?? ""
      return language.phrase("operator \(detail): \(word)\(why)", "운영자 \(detail): \(word)\(why)")
    }
  }
}

/// The language of an explanation.
package enum Language: Sendable, CaseIterable {
  case english, korean

  /// Selects the language by the locale of the process: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not
  /// empty.
  package init(environment: [String: String]) {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    self = locale == "ko" || locale.hasPrefix("ko_") || locale.hasPrefix("ko.") ? .korean : .english
  }
}
