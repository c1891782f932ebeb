# Sidekiq workers that do what a Mastodon server's delivery and home-feed workers do, in the same
# order and with the same round trips, less Rails and PostgreSQL: an upper bound of it.
#
# Environment: INBOXES (a file, one URL a line), FOLLOWERS, BREAKER (1: ten failures of an inbox stop
# it for 60 s), CLIENT (http: http.rb, net: Net::HTTP; both persistent and pooled by site), KEY (PEM).
require 'sidekiq'
require 'openssl'
require 'base64'
require 'json'
require 'time'
require 'net/http'
require 'http'

module Rival
  INBOXES = File.readlines(ENV.fetch('INBOXES'), chomp: true).freeze
  FOLLOWERS = ENV.fetch('FOLLOWERS', '0').to_i
  BREAKER = ENV['BREAKER'] != '0'
  CLIENT = ENV.fetch('CLIENT', 'http')
  PEM = File.read(ENV.fetch('KEY'))
  ACTOR = 'https://rival.test/users/u'
  SENTENCES = 'The quick brown fox jumps over the lazy dog. ' * 11

  # Persistent clients by site; one that raised is thrown away.
  class Pool
    def initialize
      @guard = Mutex.new
      @idle = Hash.new { |all, site| all[site] = [] }
    end

    def with(site)
      client = @guard.synchronize { @idle[site].pop } || fresh(site)
      begin
        answer = yield client
      rescue StandardError
        close(client)
        raise
      end
      @guard.synchronize { @idle[site] << client }
      answer
    end

    private

    def fresh(site)
      return HTTP.timeout(connect: 5, read: 10, write: 10).persistent(site, timeout: 30) if CLIENT == 'http'

      uri = URI(site)
      client = Net::HTTP.new(uri.host, uri.port)
      client.open_timeout = 5
      client.read_timeout = 10
      client.write_timeout = 10
      client.max_retries = 0
      client.keep_alive_timeout = 30
      client.start
    end

    def close(client)
      client.respond_to?(:finish) ? client.finish : client.close
    rescue StandardError
      nil
    end
  end
  POOL = Pool.new

  def self.headers(uri, body)
    date = Time.now.utc.httpdate
    digest = "SHA-256=#{Base64.strict_encode64(OpenSSL::Digest::SHA256.digest(body))}"
    host = "#{uri.host}:#{uri.port}"
    type = 'application/activity+json'
    text = "(request-target): post #{uri.path}\nhost: #{host}\ndate: #{date}\ndigest: #{digest}\ncontent-type: #{type}"
    key = OpenSSL::PKey::RSA.new(PEM) # each job loads the account, and its key, anew
    signature = Base64.strict_encode64(key.sign(OpenSSL::Digest.new('SHA256'), text))
    { 'User-Agent' => 'rival', 'Host' => host, 'Date' => date, 'Digest' => digest, 'Content-Type' => type,
      'Signature' => %(keyId="#{ACTOR}#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest content-type",signature="#{signature}") }
  end

  def self.post(inbox, body)
    uri = URI(inbox)
    POOL.with("#{uri.scheme}://#{uri.host}:#{uri.port}") do |client|
      headers = headers(uri, body)
      if CLIENT == 'http'
        answer = client.request(:post, inbox, body: body, headers: headers)
        answer.flush
        answer.code
      else
        request = Net::HTTP::Post.new(uri.path, headers)
        request.body = body
        client.request(request).code.to_i
      end
    end
  end

  # A Create of about 1.9 kB; the mark in its text tells the fake hosts when it was posted.
  def self.activity(number, posted)
    text = "<p>#{SENTENCES} [[rival@#{posted}]]</p>"
    JSON.generate(
      '@context' => ['https://www.w3.org/ns/activitystreams', { 'sensitive' => 'as:sensitive' }],
      'id' => "#{ACTOR}/statuses/#{number}-#{posted}/activity", 'type' => 'Create', 'actor' => ACTOR,
      'published' => Time.now.utc.iso8601, 'to' => ['https://www.w3.org/ns/activitystreams#Public'],
      'cc' => ["#{ACTOR}/followers"],
      'object' => { 'id' => "#{ACTOR}/statuses/#{number}-#{posted}", 'type' => 'Note', 'attributedTo' => ACTOR,
                    'content' => text, 'contentMap' => { 'en' => text }, 'sensitive' => false, 'tag' => [],
                    'attachment' => [] }
    )
  end
end

class RedLight < StandardError; end
class BadStatus < StandardError; end

# Local fan-out: a job a follower, pushed a thousand at a time.
class DistributionWorker
  include Sidekiq::Worker
  sidekiq_options queue: 'default'

  def perform(number, posted)
    (1..Rival::FOLLOWERS).each_slice(1000) do |ids|
      Sidekiq::Client.push_bulk('class' => FeedInsertWorker, 'args' => ids.map { |id| [number, id, posted] })
    end
  end
end

class FeedInsertWorker
  include Sidekiq::Worker
  sidekiq_options queue: 'default'

  def perform(number, follower, _posted)
    key = "feed:home:#{follower}"
    Sidekiq.redis do |redis|
      redis.zadd(key, number, number)
      redis.zremrangebyrank(key, 0, -401)
    end
  end
end

# Remote fan-out: a job an inbox, with the whole JSON in each.
class APDistributionWorker
  include Sidekiq::Worker
  sidekiq_options queue: 'push'

  def perform(number, posted)
    json = Rival.activity(number, posted)
    Rival::INBOXES.each_slice(1000) do |inboxes|
      Sidekiq::Client.push_bulk('class' => DeliveryWorker, 'args' => inboxes.map { |inbox| [json, 1, inbox] })
    end
  end
end

class DeliveryWorker
  include Sidekiq::Worker
  sidekiq_options queue: 'push', retry: 16, dead: false
  sidekiq_retry_in { |count| (count**4) + 15 + rand(0.5 * ((count**4) + 15)).to_i }

  def perform(json, _account, inbox)
    is_done = false
    light(inbox) do
      code = Rival.post(inbox, json)
      raise BadStatus, code.to_s unless (200...300).cover?(code)

      is_done = true
    end
  ensure
    Sidekiq.redis do |redis|
      is_done ? redis.del("exhausted:#{inbox}") : redis.sadd("exhausted:#{inbox}", Date.today.to_s)
    end
  end

  private

  # A circuit breaker an inbox, with its state in Redis: after 60 s it lets jobs try until one fails.
  def light(inbox)
    return yield unless Rival::BREAKER

    key = "light:#{inbox}"
    failures = Sidekiq.redis { |redis| redis.lrange(key, 0, 9) }
    raise RedLight, inbox if failures.size >= 10 && Time.now.to_f - failures[0].to_f < 60

    begin
      yield
    rescue StandardError
      Sidekiq.redis { |redis| redis.multi { |all| all.lpush(key, Time.now.to_f.to_s); all.ltrim(key, 0, 9) } }
      raise
    end
    Sidekiq.redis { |redis| redis.del(key) }
  end
end

Sidekiq.configure_server { |config| config.options[:timeout] = 3 }
Sidekiq.logger.level = Logger::ERROR
Redis.silence_deprecations = true
Redis.sadd_returns_boolean = false
