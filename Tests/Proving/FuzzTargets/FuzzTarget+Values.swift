internal import Foundation
internal import Issuance
internal import IssueService
internal import ServiceKit

extension FuzzTarget {
  /// Ids, codes, times and durations.
  static let userID = FuzzTarget("user-id") { bytes in
    let text = text(bytes)
    if let user = UserID(text) {
      precondition(Array("\(user)".utf8) == bytes, "a user id is not printed as it was read")
      let name = Pseudonyms(key: Data(repeating: 1, count: Pseudonyms.keyLength)).name(of: user.rawValue)
      precondition(name.wholeMatch(of: #/u_[0-9a-f]{20}/#) != nil, "a pseudonym has another form")
    }
    if let campaign = CampaignID(text) {
      precondition(Array("\(campaign)".utf8) == bytes, "a campaign id is not printed as it was read")
      precondition(UserID(text) != nil, "a campaign id has characters that no id has")
    }
    if let code = CouponCode(text) { precondition(Array("\(code)".utf8) == bytes, "a code is not printed as read") }
    if let trace = TraceParent(text) {
      precondition(TraceParent(trace.rawValue) == trace, "a traceparent is not read as it was written")
    }
    if let time = Timestamp(rfc3339: text) {
      precondition(Timestamp(rfc3339: "\(time)") == time, "\(text) is not read as it is written: \(time)")
    }
    if let duration = Duration(settingText: text) {
      precondition(Duration(settingText: duration.settingText) == duration, "\(text) is not read as it is written")
    }
  }

  /// An issuer's file of codes.
  static let codeFile = FuzzTarget("code-file") { bytes in
    guard let codes = try? CodeFile.codes(in: text(bytes), path: "codes.csv") else { return }
    precondition(!codes.isEmpty, "a file without codes is taken")
    precondition(zip(codes, codes.dropFirst()).allSatisfy { $0.line < $1.line }, "codes are out of order")
    precondition(Set(codes.map(\.code)).count == codes.count, "a code is taken twice")
    let quoted = codes.map { "\"\($0.code.rawValue.replacing("\"", with: "\"\""))\"\n" }.joined()
    let again = try? CodeFile.codes(in: "code\n" + quoted, path: "again.csv")
    precondition(again?.map(\.code) == codes.map(\.code), "codes are not read as they were written")
  }
}
