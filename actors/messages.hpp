/// The one block of type ids, and the atoms. Every message type stands here, or does not compile.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/dispatcher_messages.hpp"
#include "actors/fanout_messages.hpp"
#include "actors/gateway_messages.hpp"
#include "actors/host_gate_messages.hpp"
#include "actors/host_mover_messages.hpp"
#include "actors/housekeeper_messages.hpp"
#include "actors/id_source_messages.hpp"
#include "actors/inbox_messages.hpp"
#include "actors/link_messages.hpp"
#include "actors/log_reader_messages.hpp"
#include "actors/password_worker_messages.hpp"
#include "actors/remote_host_messages.hpp"
#include "actors/resolver_messages.hpp"
#include "actors/shard_region_messages.hpp"
#include "actors/signature_checker_messages.hpp"
#include "actors/signing_pool_messages.hpp"
#include "actors/storage_worker_messages.hpp"
#include "actors/timeline_messages.hpp"
#include "actors/webhook_messages.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

#include <tuple>

namespace trunkline {

/// Every message type, for checks over all of them: none may hold a handle.
using message_types = std::tuple<
    read_job, write_job, flush_batch, publish_post, edit_post, delete_post, boost_post,
    unboost_post, follow_account, unfollow_account, block_account, unblock_account, mute_account,
    unmute_account, favourite_post, unfavourite_post, bookmark_post, pin_post, vote_in_poll,
    answer_follow_request, drop_follower, block_domain, report_account, change_profile,
    move_account, rotate_key, describe_account, account_report, account_idle, read_home, home_page,
    describe_timeline, timeline_report, timeline_idle, log_hint, log_has_grown, describe_log,
    log_report, poll_log, close_hole, apply_rows, install_home, await_applied, describe_fanout,
    fanout_report, continue_fanout, drop_unread_homes, passivate_actor, gateway_exchange,
    gateway_turn, make_password_hash, password_hash, check_password, keep_ids, keep_house,
    offer_units, fetch_document, fetched_document, note_sign_of_life, pause_host, resume_host,
    retry_host, operate_host, operated_host, list_queue, host_queue, ask_open_units, open_units,
    read_missed, found_units, describe_host, host_report, host_timer, sign_request, sign_and_send,
    signed_headers, ask_public_key, public_key_text, signing_done, check_signature, verified_signer,
    resolve_account, resolve_post, resolve_url, resolved_thing, passivate_host, wake_host,
    exchange_ended, place_granted, dispatch_rows, host_progress, adopt_host, host_cursor,
    flush_books, describe_dispatcher, dispatcher_report, checkpoint_due, begin_delivery, wake_inbox,
    describe_inbox, inbox_report, inbox_timer, stop_hosts, own_host_shards, give_up_host_shards,
    wake_inboxes, close_webhook, webhook_tick, webhook_answered, envelope, ask_peer, link_lost,
    answer_peer, flush_link, link_timer, serve_peer_fetch, serve_peer_sign_of_life,
    peer_has_fetched, look_for_hosts, cluster_seen>;

} // namespace trunkline

CAF_BEGIN_TYPE_ID_BLOCK(trunkline, first_custom_type_id)

// answers that are bare ids
CAF_ADD_TYPE_ID(trunkline, (trunkline::post_id))
CAF_ADD_TYPE_ID(trunkline, (trunkline::account_id))

// storage_worker
CAF_ADD_TYPE_ID(trunkline, (trunkline::read_job))
CAF_ADD_TYPE_ID(trunkline, (trunkline::write_job))
CAF_ADD_TYPE_ID(trunkline, (trunkline::flush_batch))

// account
CAF_ADD_TYPE_ID(trunkline, (trunkline::publish_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::edit_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::delete_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::boost_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::unboost_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::follow_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::unfollow_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::block_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::unblock_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::mute_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::unmute_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::favourite_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::unfavourite_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::bookmark_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::pin_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::vote_in_poll))
CAF_ADD_TYPE_ID(trunkline, (trunkline::answer_follow_request))
CAF_ADD_TYPE_ID(trunkline, (trunkline::drop_follower))
CAF_ADD_TYPE_ID(trunkline, (trunkline::block_domain))
CAF_ADD_TYPE_ID(trunkline, (trunkline::report_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::change_profile))
CAF_ADD_TYPE_ID(trunkline, (trunkline::move_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::rotate_key))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::account_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::account_idle))

// timeline
CAF_ADD_TYPE_ID(trunkline, (trunkline::read_home))
CAF_ADD_TYPE_ID(trunkline, (trunkline::home_page))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_timeline))
CAF_ADD_TYPE_ID(trunkline, (trunkline::timeline_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::timeline_idle))

// log_reader
CAF_ADD_TYPE_ID(trunkline, (trunkline::log_hint))
CAF_ADD_TYPE_ID(trunkline, (trunkline::log_has_grown))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_log))
CAF_ADD_TYPE_ID(trunkline, (trunkline::log_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::poll_log))
CAF_ADD_TYPE_ID(trunkline, (trunkline::close_hole))

// fanout
CAF_ADD_TYPE_ID(trunkline, (trunkline::apply_rows))
CAF_ADD_TYPE_ID(trunkline, (trunkline::install_home))
CAF_ADD_TYPE_ID(trunkline, (trunkline::await_applied))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_fanout))
CAF_ADD_TYPE_ID(trunkline, (trunkline::fanout_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::continue_fanout))
CAF_ADD_TYPE_ID(trunkline, (trunkline::drop_unread_homes))

// shard_region
CAF_ADD_TYPE_ID(trunkline, (trunkline::passivate_actor))
// gateway
CAF_ADD_TYPE_ID(trunkline, (trunkline::gateway_exchange))
CAF_ADD_TYPE_ID(trunkline, (trunkline::gateway_turn))

// password_worker
CAF_ADD_TYPE_ID(trunkline, (trunkline::make_password_hash))
CAF_ADD_TYPE_ID(trunkline, (trunkline::password_hash))
CAF_ADD_TYPE_ID(trunkline, (trunkline::check_password))

// id_source
CAF_ADD_TYPE_ID(trunkline, (trunkline::keep_ids))

// housekeeper
CAF_ADD_TYPE_ID(trunkline, (trunkline::keep_house))

// remote_host
CAF_ADD_TYPE_ID(trunkline, (trunkline::offer_units))
CAF_ADD_TYPE_ID(trunkline, (trunkline::fetch_document))
CAF_ADD_TYPE_ID(trunkline, (trunkline::fetched_document))
CAF_ADD_TYPE_ID(trunkline, (trunkline::note_sign_of_life))
CAF_ADD_TYPE_ID(trunkline, (trunkline::pause_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::resume_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::retry_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::operate_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::operated_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::list_queue))
CAF_ADD_TYPE_ID(trunkline, (trunkline::host_queue))
CAF_ADD_TYPE_ID(trunkline, (trunkline::ask_open_units))
CAF_ADD_TYPE_ID(trunkline, (trunkline::open_units))
CAF_ADD_TYPE_ID(trunkline, (trunkline::read_missed))
CAF_ADD_TYPE_ID(trunkline, (trunkline::found_units))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::host_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::host_timer))
CAF_ADD_TYPE_ID(trunkline, (trunkline::passivate_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::stop_hosts))
CAF_ADD_TYPE_ID(trunkline, (trunkline::wake_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::exchange_ended))
CAF_ADD_TYPE_ID(trunkline, (trunkline::place_granted))

// dispatcher
CAF_ADD_TYPE_ID(trunkline, (trunkline::dispatch_rows))
CAF_ADD_TYPE_ID(trunkline, (trunkline::host_progress))
CAF_ADD_TYPE_ID(trunkline, (trunkline::adopt_host))
CAF_ADD_TYPE_ID(trunkline, (trunkline::host_cursor))
CAF_ADD_TYPE_ID(trunkline, (trunkline::flush_books))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_dispatcher))
CAF_ADD_TYPE_ID(trunkline, (trunkline::dispatcher_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::checkpoint_due))
CAF_ADD_TYPE_ID(trunkline, (trunkline::begin_delivery))
CAF_ADD_TYPE_ID(trunkline, (trunkline::own_host_shards))
CAF_ADD_TYPE_ID(trunkline, (trunkline::give_up_host_shards))

// signing_pool
CAF_ADD_TYPE_ID(trunkline, (trunkline::sign_request))
CAF_ADD_TYPE_ID(trunkline, (trunkline::sign_and_send))
CAF_ADD_TYPE_ID(trunkline, (trunkline::signed_headers))
CAF_ADD_TYPE_ID(trunkline, (trunkline::ask_public_key))
CAF_ADD_TYPE_ID(trunkline, (trunkline::public_key_text))
CAF_ADD_TYPE_ID(trunkline, (trunkline::signing_done))

// signature_checker
CAF_ADD_TYPE_ID(trunkline, (trunkline::check_signature))
CAF_ADD_TYPE_ID(trunkline, (trunkline::verified_signer))

// resolver
CAF_ADD_TYPE_ID(trunkline, (trunkline::resolve_account))
CAF_ADD_TYPE_ID(trunkline, (trunkline::resolve_post))
CAF_ADD_TYPE_ID(trunkline, (trunkline::resolve_url))
CAF_ADD_TYPE_ID(trunkline, (trunkline::resolved_thing))

// inbox
CAF_ADD_TYPE_ID(trunkline, (trunkline::wake_inbox))
CAF_ADD_TYPE_ID(trunkline, (trunkline::describe_inbox))
CAF_ADD_TYPE_ID(trunkline, (trunkline::inbox_report))
CAF_ADD_TYPE_ID(trunkline, (trunkline::inbox_timer))
CAF_ADD_TYPE_ID(trunkline, (trunkline::wake_inboxes))

// webhook_sender
CAF_ADD_TYPE_ID(trunkline, (trunkline::close_webhook))
CAF_ADD_TYPE_ID(trunkline, (trunkline::webhook_tick))
CAF_ADD_TYPE_ID(trunkline, (trunkline::webhook_answered))

// link
CAF_ADD_TYPE_ID(trunkline, (trunkline::envelope))
CAF_ADD_TYPE_ID(trunkline, (trunkline::ask_peer))
CAF_ADD_TYPE_ID(trunkline, (trunkline::link_lost))
CAF_ADD_TYPE_ID(trunkline, (trunkline::answer_peer))
CAF_ADD_TYPE_ID(trunkline, (trunkline::flush_link))
CAF_ADD_TYPE_ID(trunkline, (trunkline::link_timer))

// host_gate
CAF_ADD_TYPE_ID(trunkline, (trunkline::serve_peer_fetch))
CAF_ADD_TYPE_ID(trunkline, (trunkline::serve_peer_sign_of_life))
CAF_ADD_TYPE_ID(trunkline, (trunkline::peer_has_fetched))
CAF_ADD_TYPE_ID(trunkline, (trunkline::look_for_hosts))

// host_mover
CAF_ADD_TYPE_ID(trunkline, (trunkline::cluster_seen))

CAF_END_TYPE_ID_BLOCK(trunkline)

// None of these leaves the node: between nodes travels one envelope alone.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::post_id)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::account_id)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::read_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::write_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::flush_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::publish_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::edit_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::delete_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::boost_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::unboost_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::follow_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::unfollow_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::block_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::unblock_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::mute_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::unmute_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::account_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::account_idle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::read_home)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::home_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_timeline)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::timeline_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::timeline_idle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::log_hint)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::log_has_grown)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_log)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::log_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::poll_log)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::close_hole)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::apply_rows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::install_home)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::await_applied)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_fanout)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::fanout_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::continue_fanout)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::drop_unread_homes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::passivate_actor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::gateway_exchange)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::gateway_turn)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::make_password_hash)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::password_hash)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::check_password)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::keep_ids)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::keep_house)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::favourite_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::unfavourite_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::bookmark_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::pin_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::vote_in_poll)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::answer_follow_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::drop_follower)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::block_domain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::report_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::change_profile)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::move_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::rotate_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::offer_units)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::fetch_document)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::fetched_document)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::note_sign_of_life)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::pause_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::resume_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::retry_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::operate_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::operated_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::list_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::host_queue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::ask_open_units)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::open_units)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::read_missed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::found_units)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::host_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::host_timer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::sign_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::sign_and_send)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::signed_headers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::ask_public_key)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::public_key_text)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::signing_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::check_signature)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::verified_signer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::resolve_account)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::resolve_post)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::resolve_url)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::resolved_thing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::wake_inbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_inbox)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::inbox_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::inbox_timer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::wake_inboxes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::close_webhook)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::webhook_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::webhook_answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::passivate_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::stop_hosts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::wake_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::exchange_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::place_granted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::dispatch_rows)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::host_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::adopt_host)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::host_cursor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::flush_books)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::describe_dispatcher)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::dispatcher_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::checkpoint_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::begin_delivery)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::own_host_shards)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::give_up_host_shards)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::ask_peer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::link_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::answer_peer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::flush_link)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::link_timer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::serve_peer_fetch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::serve_peer_sign_of_life)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::peer_has_fetched)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::look_for_hosts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(trunkline::cluster_seen)
