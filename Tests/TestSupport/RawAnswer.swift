package import Foundation

/// One HTTP/1 answer as it came over a ``RawConnection``.
package struct RawAnswer: Sendable {
  package let version: String
  package let status: Int
  /// In the order in which they came, names in lower case.
  package let fields: [(name: String, value: String)]
  package let body: Data

  package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  package func json() throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: body) }

  /// The last part of the problem's type; `nil` where the answer is no problem.
  package var problem: String? {
    guard values("content-type").first?.hasPrefix("application/problem+json") == true else { return nil }
    return (try? json())?["type"]?.string?.split(separator: "/").last.map(String.init)
  }

  /// Reads the answers that are there as a whole, without the interim ones (1xx).
  ///
  /// - Parameter headOnly: whether they answer HEAD, and so have no body whatever their header says.
  /// - Parameter hasEnded: whether nothing more comes: a body without a length ends there.
  /// - Returns: the answers, and what is left: the beginning of a further one, or what is none.
  package static func parse(
    _ bytes: Data, headOnly: Bool = false, hasEnded: Bool = false
  ) -> (answers: [RawAnswer], rest: Data) {
    var answers: [RawAnswer] = []
    var rest = bytes
    while let (answer, length) = first(in: rest, headOnly: headOnly, hasEnded: hasEnded) {
      if !(100..<200).contains(answer.status) || answer.status == 101 { answers.append(answer) }
      rest = Data(rest.dropFirst(length))
    }
    return (answers, rest)
  }

  private static func first(in bytes: Data, headOnly: Bool, hasEnded: Bool) -> (RawAnswer, Int)? {
    guard let end = bytes.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    guard let start = lines[0].wholeMatch(of: #/(HTTP/\d\.\d) (\d{3})(?: .*)?/#), let status = Int(start.2) else {
      return nil
    }
    var fields: [(name: String, value: String)] = []
    for line in lines.dropFirst() {
      guard let field = line.wholeMatch(of: #/([^:\s]+):\s*(.*?)\s*/#) else { return nil }
      fields.append((field.1.lowercased(), String(field.2)))
    }
    let isEmpty = headOnly || (100..<200).contains(status) || status == 204 || status == 304
    let after = bytes[end.upperBound...]
    var body = Data()
    var length = 0
    if !isEmpty {
      if fields.contains(where: { $0.name == "transfer-encoding" }) {
        guard let (content, wire) = chunks(in: Data(after)) else { return nil }
        (body, length) = (content, wire)
      } else if let text = fields.first(where: { $0.name == "content-length" })?.value, let count = Int(text) {
        guard after.count >= count else { return nil }
        (body, length) = (Data(after.prefix(count)), count)
      } else {
        guard hasEnded else { return nil }
        (body, length) = (Data(after), after.count)
      }
    }
    let answer = RawAnswer(version: String(start.1), status: status, fields: fields, body: body)
    return (answer, end.upperBound - bytes.startIndex + length)
  }

  private static func chunks(in bytes: Data) -> (content: Data, wireLength: Int)? {
    var content = Data()
    var position = bytes.startIndex
    while let line = bytes[position...].firstRange(of: Data("\r\n".utf8)) {
      let digits = String(decoding: bytes[position..<line.lowerBound], as: UTF8.self)
      guard let size = Int(digits, radix: 16), bytes.endIndex - line.upperBound >= size + 2 else { return nil }
      content.append(bytes[line.upperBound..<(line.upperBound + size)])
      position = line.upperBound + size + 2
      if size == 0 { return (content, position - bytes.startIndex) }
    }
    return nil
  }
}
