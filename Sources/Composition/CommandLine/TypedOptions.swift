package import ArgumentParser
package import Issuance

extension Duration {
  /// Reads the value of an option: `500ms`, `50s`, `5m`.
  package static func option(_ text: String) throws -> Duration {
    guard let duration = Duration(settingText: text), duration > .zero else {
      throw ValidationError("it must be a duration above 0, such as 500ms, 50s or 5m.")
    }
    return duration
  }
}

extension Timestamp {
  /// Reads the value of an option: RFC 3339.
  package static func option(_ text: String) throws -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else {
      throw ValidationError("it must be a time like 2026-12-01T09:00:00Z or 2026-12-01T18:00:00+09:00.")
    }
    return time
  }
}

extension CampaignID {
  /// Reads the value of an option.
  package static func option(_ text: String) throws -> CampaignID {
    guard let id = CampaignID(text) else {
      throw ValidationError("it must be \(CampaignID.form).")
    }
    return id
  }
}

/// Who acts and why, recorded with every act.
package struct OperatorOptions: ParsableArguments {
  @Option(name: .customLong("operator"), help: "Who acts; else the login.")
  package var operatorName: String?
  @Option(help: "Why, for the record.")
  package var reason: String?

  package init() {}

  package var author: Operator { Operator(name: operatorName ?? ProcessIdentity.operatorName, reason: reason) }

  /// For acts that nobody should do without saying why.
  ///
  /// - Throws: `ValidationError` where there is no reason.
  package func requireReason() throws {
    guard reason?.contains(where: { !$0.isWhitespace }) == true else {
      throw ValidationError("It needs a --reason, which is kept with the act.")
    }
  }
}
