# poster.rb POSTS RATE: enqueues POSTS posts, RATE a second (0: all at once), and ends.
require_relative 'workers'

posts = Integer(ARGV.fetch(0))
rate = Float(ARGV.fetch(1))
start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
(0...posts).each do |number|
  wait = rate.positive? ? start + number / rate - Process.clock_gettime(Process::CLOCK_MONOTONIC) : 0
  sleep wait if wait.positive?
  posted = Process.clock_gettime(Process::CLOCK_REALTIME, :nanosecond)
  DistributionWorker.perform_async(number, posted)
  APDistributionWorker.perform_async(number, posted)
end
