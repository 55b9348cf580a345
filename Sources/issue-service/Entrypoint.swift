import IssueService
import ServiceKit

@main
enum Entrypoint {
  static func main() async { await runProgram(IssueServiceCommand.self) }
}
