import ArgumentParser
import IssueService

@main
enum Entrypoint {
  static func main() async { await IssueServiceCommand.main() }
}
